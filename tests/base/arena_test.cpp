#include "base/arena.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace gptj {
namespace {

struct Pieces {
  uint8_t* bytes;
  float* floats;
  double* none;
  std::array<uint8_t*, 65> odd;
};

constexpr int64_t kBytes = 3, kFloats = 1000;

Pieces lay_out(Arena& arena) {
  Pieces pieces{};
  pieces.bytes = arena.take<uint8_t>(kBytes);
  pieces.floats = arena.take<float>(kFloats);
  pieces.none = arena.take<double>(0);
  for (size_t i = 0; i < pieces.odd.size(); ++i) pieces.odd[i] = arena.take<uint8_t>(static_cast<int64_t>(i));
  return pieces;
}

TEST(Arena, MeasuresWhatItWillTake) {
  Arena measure;
  const Pieces counted = lay_out(measure);
  EXPECT_EQ(counted.bytes, nullptr);
  EXPECT_EQ(counted.floats, nullptr);
  EXPECT_EQ(measure.used(), 64U + 4032 + 64 * 64);  // whole cache lines; the empty pieces take none

  Arena arena(measure.used(), "a test");
  lay_out(arena);
  EXPECT_EQ(arena.used(), measure.used());
}

TEST(Arena, PiecesAreAlignedZeroedAndApart) {
  Arena measure;
  lay_out(measure);
  Arena arena(measure.used(), "a test");
  const Pieces pieces = lay_out(arena);

  EXPECT_EQ(std::count(pieces.bytes, pieces.bytes + kBytes, 0), kBytes);
  EXPECT_EQ(std::count(pieces.floats, pieces.floats + kFloats, 0.0f), kFloats);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(pieces.bytes) % 64, 0U);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(pieces.floats) % 64, 0U);
  for (size_t i = 0; i < pieces.odd.size(); ++i) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(pieces.odd[i]) % 64, 0U) << i;
    std::fill_n(pieces.odd[i], i, static_cast<uint8_t>(i));
  }
  std::fill_n(pieces.floats, kFloats, 1.0f);
  for (size_t i = 0; i < pieces.odd.size(); ++i) {
    const auto size = static_cast<int64_t>(i);
    EXPECT_EQ(std::count(pieces.odd[i], pieces.odd[i] + size, static_cast<uint8_t>(i)), size);
  }
  EXPECT_EQ(std::count(pieces.bytes, pieces.bytes + kBytes, 0), kBytes);
}

TEST(Arena, IsGivenBackFromTheEnd) {
  Arena arena(256, "a test");
  arena.take<uint8_t>(64);
  const size_t fixed = arena.used();
  uint8_t* const first = arena.take<uint8_t>(192);
  std::fill_n(first, 192, uint8_t{1});
  arena.rewind(fixed);
  EXPECT_EQ(arena.used(), fixed);
  EXPECT_EQ(arena.take<uint8_t>(1), first);
#ifdef NDEBUG
  EXPECT_EQ(first[0], 1);
#else
  EXPECT_EQ(first[0], 0xff);
#endif
}

}  // namespace
}  // namespace gptj
