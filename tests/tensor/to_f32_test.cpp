// Values of file blocks that were worked out by hand.

#include <gtest/gtest.h>

#include <cmath>

#include "tensor/file_rows.h"
#include "tensor/pack.h"

namespace gptj {
namespace {

constexpr uint8_t kHalf[] = {0x00, 0x38};                   // 0.5 in F16
constexpr uint8_t kMinusThree[] = {0x00, 0xc2};             // -3.0
constexpr uint8_t kFifthBits[] = {0x01, 0x80, 0x00, 0x80};  // of values 0, 15 and 31

std::vector<float> values(DType dtype, const std::vector<uint8_t>& bytes, int64_t n) {
  std::vector<float> out(static_cast<size_t>(n));
  to_f32(dtype, bytes.data(), n, out.data());
  return out;
}

/// A block of 4 or 5 bits: byte j holds j low and 15 - j high, so q is 0 ... 15 and then 15 ... 0.
std::vector<uint8_t> nibble_block(bool minimum, bool fifth_bits) {
  std::vector<uint8_t> block(kHalf, kHalf + 2);
  if (minimum) block.insert(block.end(), kMinusThree, kMinusThree + 2);
  if (fifth_bits) block.insert(block.end(), kFifthBits, kFifthBits + 4);
  for (int j = 0; j < 16; ++j) block.push_back(static_cast<uint8_t>(j + 16 * (15 - j)));
  return block;
}

TEST(ToF32, BlocksOfNibbles) {
  struct {
    DType dtype;
    bool minimum, fifth_bits;
    float at_0, at_1, at_15, at_16, at_31;
  } const cases[] = {
      {DType::q4_0, false, false, -4.0f, -3.5f, 3.5f, 3.5f, -4.0f},  // 0.5 (q - 8)
      {DType::q4_1, true, false, -3.0f, -2.5f, 4.5f, 4.5f, -3.0f},   // 0.5 q - 3
      {DType::q5_0, false, true, 0.0f, -7.5f, 7.5f, -0.5f, 0.0f},  // 0.5 (q - 16), values 0, 15, 31 with + 16
      {DType::q5_1, true, true, 5.0f, -2.5f, 12.5f, 4.5f, 5.0f},   // 0.5 q - 3, likewise
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(info(c.dtype).name);
    std::vector<uint8_t> blocks = nibble_block(c.minimum, c.fifth_bits);
    ASSERT_EQ(blocks.size(), info(c.dtype).block_bytes);
    blocks.insert(blocks.end(), blocks.begin(), blocks.begin() + static_cast<ptrdiff_t>(blocks.size()));
    const std::vector<float> found = values(c.dtype, blocks, 64);
    for (const size_t block : {0u, 32u}) {
      EXPECT_EQ(found[block + 0], c.at_0);
      EXPECT_EQ(found[block + 1], c.at_1);
      EXPECT_EQ(found[block + 15], c.at_15);
      EXPECT_EQ(found[block + 16], c.at_16);
      EXPECT_EQ(found[block + 31], c.at_31);
    }
  }
}

TEST(ToF32, EveryFifthBitBelongsToItsValue) {
  for (size_t k = 0; k < 32; ++k) {
    std::vector<uint8_t> block(22);
    block[1] = 0x3c;  // d = 1
    block[2 + k / 8] = static_cast<uint8_t>(1 << (k % 8));
    const std::vector<float> found = values(DType::q5_0, block, 32);
    for (size_t i = 0; i < 32; ++i) EXPECT_EQ(found[i], i == k ? 0.0f : -16.0f) << k << ", " << i;
  }
}

TEST(ToF32, BlocksOfBytes) {
  std::vector<uint8_t> block(kHalf, kHalf + 2);
  for (int j = 0; j < 32; ++j) block.push_back(static_cast<uint8_t>(j * 8 - 128));
  const std::vector<float> found = values(DType::q8_0, block, 32);
  for (int j = 0; j < 32; ++j) EXPECT_EQ(found[static_cast<size_t>(j)], static_cast<float>(j * 4 - 64)) << j;
}

TEST(ToF32, PlainNumbers) {
  // 1, -2, 2^-24 (F16: subnormal), infinity, unaligned
  struct {
    DType dtype;
    std::vector<uint8_t> bytes;
  } const cases[] = {
      {DType::f32, {9, 0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 0, 0, 0x80, 0x33, 0, 0, 0x80, 0x7f}},
      {DType::f16, {9, 0, 0x3c, 0, 0xc0, 1, 0, 0, 0x7c}},
      {DType::bf16, {9, 0x80, 0x3f, 0, 0xc0, 0x80, 0x33, 0x80, 0x7f}},
  };
  for (const auto& [dtype, bytes] : cases) {
    float found[4];
    to_f32(dtype, bytes.data() + 1, 4, found);
    EXPECT_EQ(found[0], 1.0f) << info(dtype).name;
    EXPECT_EQ(found[1], -2.0f) << info(dtype).name;
    EXPECT_EQ(found[2], 0x1p-24f) << info(dtype).name;
    EXPECT_EQ(found[3], INFINITY) << info(dtype).name;
  }
}

}  // namespace
}  // namespace gptj
