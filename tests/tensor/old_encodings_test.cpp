// Blocks of old files against what their types mean, written down a second time.

#include "tensor/old_encodings.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "base/half.h"
#include "tensor/pack.h"

namespace gptj {
namespace {

/// What ggml's structs say.
struct OldType {
  int version, type;
  int values;  // of a block
  bool f32_scales, minimum;
  int bits;
  bool neighbours;  // share a byte
  DType dtype;
};

constexpr OldType kTypes[] = {
    {0, 2, 32, true, false, 4, true, DType::q4_0},  {0, 3, 32, true, true, 4, true, DType::q4_1},
    {0, 4, 16, false, false, 4, true, DType::f16},  {0, 5, 16, false, true, 4, true, DType::f16},
    {0, 6, 32, false, false, 5, true, DType::q5_0}, {0, 7, 32, false, true, 5, true, DType::q5_1},
    {0, 8, 32, true, false, 8, false, DType::q8_0}, {1, 2, 32, true, false, 4, false, DType::q4_0},
    {1, 3, 32, true, true, 4, false, DType::q4_1},  {1, 8, 32, true, false, 8, false, DType::q8_0},
};

constexpr float kScale = 0.375f, kMinimum = -1.25f;  // which F16 holds

struct Block {
  std::vector<uint8_t> bytes;
  std::vector<float> values;
};

void append_scale(float value, bool f32, std::vector<uint8_t>& out) {
  const uint32_t bits = f32 ? std::bit_cast<uint32_t>(value) : f32_to_f16(value);
  for (int i = 0; i < (f32 ? 4 : 2); ++i) out.push_back(static_cast<uint8_t>(bits >> (8 * i)));
}

Block make_block(const OldType& type, std::mt19937& random) {
  Block block;
  append_scale(kScale, type.f32_scales, block.bytes);
  if (type.minimum) append_scale(kMinimum, type.f32_scales, block.bytes);
  const size_t begin = block.bytes.size(), fifth = type.bits == 5 ? 4 : 0;
  block.bytes.resize(begin + fifth + static_cast<size_t>(type.values * (type.bits == 8 ? 8 : 4) / 8));
  for (int j = 0; j < type.values; ++j) {
    const int q = static_cast<int>(random() % (1U << type.bits));
    uint8_t* quants = block.bytes.data() + begin + fifth;
    if (type.bits == 8) {
      quants[j] = static_cast<uint8_t>(q - 128);
    } else if (type.neighbours) {
      quants[j / 2] |= static_cast<uint8_t>((q & 15) << (j % 2 * 4));
    } else {
      quants[j % 16] |= static_cast<uint8_t>((q & 15) << (j / 16 * 4));
    }
    if (fifth > 0)
      block.bytes[begin + static_cast<size_t>(j / 8)] |= static_cast<uint8_t>((q >> 4) << (j % 8));
    const int middle = type.minimum ? 0 : 1 << (type.bits - 1);
    block.values.push_back(kScale * static_cast<float>(q - middle) + (type.minimum ? kMinimum : 0.0f));
  }
  return block;
}

TEST(OldEncodings, MeanWhatTheyMeant) {
  std::mt19937 random(14);
  for (const OldType& type : kTypes) {
    const Encoding* encoding = old_encoding_of_ggml_type(type.version, type.type);
    ASSERT_NE(encoding, nullptr) << type.version << " " << type.type;
    SCOPED_TRACE(encoding->name);
    EXPECT_EQ(encoding->block, type.values);
    EXPECT_EQ(encoding->dtype, type.dtype);
    std::vector<uint8_t> bytes;
    std::vector<float> values;
    for (int i = 0; i < 4; ++i) {
      const Block block = make_block(type, random);
      EXPECT_EQ(block.bytes.size(), encoding->block_bytes);
      bytes.insert(bytes.end(), block.bytes.begin(), block.bytes.end());
      values.insert(values.end(), block.values.begin(), block.values.end());
    }
    const auto n = static_cast<int64_t>(values.size());
    std::vector<uint8_t> row(row_bytes(type.dtype, n));
    ASSERT_TRUE(encoding->decode(bytes.data(), n, row.data()));
    std::vector<float> found(values.size());
    to_f32(type.dtype, row.data(), n, found.data());
    EXPECT_EQ(found, values);
  }
}

TEST(OldEncodings, ScalesThatNoF16Holds) {
  for (const OldType& type : kTypes) {
    const Encoding& encoding = *old_encoding_of_ggml_type(type.version, type.type);
    SCOPED_TRACE(encoding.name);
    for (int field = 0; field < (type.minimum ? 2 : 1); ++field) {
      for (const float wrong : {NAN, INFINITY, -INFINITY, 1e6f}) {
        std::vector<uint8_t> bytes(encoding.row_bytes(64));
        std::vector<uint8_t> scale, row(row_bytes(type.dtype, 64));
        append_scale(wrong, type.f32_scales, scale);
        std::memcpy(bytes.data() + encoding.row_bytes(32) + static_cast<size_t>(field) * scale.size(),
                    scale.data(), scale.size());
        EXPECT_FALSE(encoding.decode(bytes.data(), 64, row.data())) << field << " " << wrong;
      }
    }
  }
}

TEST(OldEncodings, TypesThatAVersionDidNotHave) {
  for (const auto& [version, type] :
       {std::pair{0, 0}, {0, 1}, {0, 9}, {0, -1}, {1, 4}, {1, 5}, {1, 6}, {2, 2}, {-1, 2}}) {
    EXPECT_EQ(old_encoding_of_ggml_type(version, type), nullptr) << version << " " << type;
  }
}

}  // namespace
}  // namespace gptj
