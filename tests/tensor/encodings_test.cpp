// Blocks of k-types and IQ4 against what the gguf package makes of them (tools/make_golden_encodings.py).

#include "tensor/encodings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/half.h"
#include "tensor/pack.h"

namespace gptj {
namespace {

struct Blocks {
  std::vector<uint8_t> encoded, values;  // values: rows of F16
  int64_t n;                             // values
};

/// Of tests/data/encodings/<name>.bin: blocks, and then their values in F16.
Blocks golden(const Encoding& encoding) {
  const InputFile file(std::string(GPTJ_TEST_DATA "/encodings/") + encoding.name + ".bin");
  const auto block = static_cast<size_t>(encoding.block);
  const size_t n_blocks = file.size() / (encoding.block_bytes + block * 2);
  Blocks out{std::vector<uint8_t>(n_blocks * encoding.block_bytes),
             std::vector<uint8_t>(n_blocks * block * 2), static_cast<int64_t>(n_blocks * block)};
  EXPECT_GE(n_blocks, 3U);
  EXPECT_EQ(file.size(), out.encoded.size() + out.values.size());
  file.read_at(0, out.encoded.data(), out.encoded.size());
  file.read_at(out.encoded.size(), out.values.data(), out.values.size());
  return out;
}

std::vector<float> values_of(const Encoding& encoding, const Blocks& blocks) {
  std::vector<float> out(static_cast<size_t>(blocks.n));
  EXPECT_TRUE(encoding.decode_f32(blocks.encoded.data(), blocks.n, reinterpret_cast<uint8_t*>(out.data())));
  return out;
}

/// What rows become when they are read.
std::vector<float> stored_values(const Encoding& encoding, const Blocks& blocks) {
  std::vector<uint8_t> rows(row_bytes(encoding.dtype, blocks.n));
  EXPECT_TRUE(encoding.decode(blocks.encoded.data(), blocks.n, rows.data()));
  std::vector<float> out(static_cast<size_t>(blocks.n));
  to_f32(encoding.dtype, rows.data(), blocks.n, out.data());
  return out;
}

TEST(Encodings, DecodeToTheValuesOfTheReference) {
  for (const Encoding& encoding : ggml_encodings()) {
    SCOPED_TRACE(encoding.name);
    const Blocks blocks = golden(encoding);
    std::vector<uint8_t> found(blocks.values.size());
    uint8_t* out = found.data();
    for (const float value : values_of(encoding, blocks)) {
      const uint16_t half = f32_to_f16(value);
      std::memcpy(out, &half, sizeof(half));
      out += sizeof(half);
    }
    EXPECT_EQ(found, blocks.values);
    EXPECT_EQ(encoding.row_bytes(blocks.n), blocks.encoded.size());
  }
}

// Types with a scale for 32 values keep their integers: only scale and minimum are rounded, to 2^-11 of themselves. Those
// with one for 16 are rounded to 255 levels.
TEST(Encodings, BecomeTypesThatAreNear) {
  for (const Encoding& encoding : ggml_encodings()) {
    SCOPED_TRACE(encoding.name);
    const std::string name = encoding.name;
    const bool repacked = name == "q4_K" || name == "q5_K" || name.starts_with("iq4");
    const Blocks blocks = golden(encoding);
    const std::vector<float> expected = values_of(encoding, blocks), found = stored_values(encoding, blocks);
    double worst = 0, lost = 0, squares = 0;
    for (size_t k = 0; k < expected.size(); k += 32) {
      float low = 0, high = 0;
      for (size_t j = k; j < k + 32; ++j) {
        low = std::min(low, expected[j]);
        high = std::max(high, expected[j]);
      }
      for (size_t j = k; j < k + 32; ++j) {
        const double difference = double{found[j]} - double{expected[j]};
        worst = std::max(worst, std::abs(difference) / std::max(-low, high));
        lost += difference * difference;
        squares += double{expected[j]} * double{expected[j]};
      }
    }
    EXPECT_LT(worst, repacked ? 0x1p-9 : 0.5 / 127 + 0x1p-10);
    EXPECT_LT(lost / squares, name == "iq4_nl" ? 1e-30 : repacked ? 2e-7 : 3e-5);
  }
}

// 61280 in both scales of a block, times what groups multiply them with.
TEST(Encodings, ScalesThatF16CannotHold) {
  for (const int type : {12, 13, 23}) {
    const Encoding& encoding = *encoding_of_ggml_type(type);
    SCOPED_TRACE(encoding.name);
    Blocks blocks = golden(encoding);
    std::fill(blocks.encoded.begin(), blocks.encoded.end(), uint8_t{0x7b});
    EXPECT_EQ(values_of(encoding, blocks).size(), static_cast<size_t>(blocks.n));
    std::vector<uint8_t> rows(row_bytes(encoding.dtype, blocks.n));
    EXPECT_FALSE(encoding.decode(blocks.encoded.data(), blocks.n, rows.data()));
  }
}

TEST(Encodings, EveryByteOfABlockCounts) {
  for (const Encoding& encoding : ggml_encodings()) {
    SCOPED_TRACE(encoding.name);
    Blocks blocks = golden(encoding);
    const std::vector<float> values = values_of(encoding, blocks), stored = stored_values(encoding, blocks);
    for (size_t at = 0; at < encoding.block_bytes; ++at) {
      blocks.encoded[at] ^= 0x55;
      EXPECT_NE(values_of(encoding, blocks), values) << "byte " << at;
      EXPECT_NE(stored_values(encoding, blocks), stored) << "byte " << at;
      blocks.encoded[at] ^= 0x55;
    }
  }
}

TEST(Encodings, ScalesThatAreNotFinite) {
  for (const Encoding& encoding : ggml_encodings()) {
    SCOPED_TRACE(encoding.name);
    for (const int scale : {0x7c00, 0xfc00, 0x7e00}) {
      Blocks blocks = golden(encoding);
      for (size_t at = 0; at < encoding.block_bytes; at += 2) {
        blocks.encoded[at] = static_cast<uint8_t>(scale);
        blocks.encoded[at + 1] = static_cast<uint8_t>(scale >> 8);
      }
      std::vector<uint8_t> out(static_cast<size_t>(blocks.n) * sizeof(float));
      EXPECT_FALSE(encoding.decode(blocks.encoded.data(), blocks.n, out.data()));
      EXPECT_FALSE(encoding.decode_f32(blocks.encoded.data(), blocks.n, out.data()));
    }
  }
}

TEST(Encodings, AreFoundByTheirNumber) {
  EXPECT_STREQ(encoding_of_ggml_type(12)->name, "q4_K");
  for (const Encoding& encoding : ggml_encodings()) {
    EXPECT_EQ(encoding_of_ggml_type(encoding.ggml_type), &encoding);
    EXPECT_FALSE(dtype_from_ggml_type(encoding.ggml_type)) << encoding.name;
  }
  for (const int none : {-1, 0, 1, 8, 15, 16, 1000}) EXPECT_EQ(encoding_of_ggml_type(none), nullptr);
}

}  // namespace
}  // namespace gptj
