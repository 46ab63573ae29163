#include "tensor/quantize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "tensor/file_rows.h"
#include "tensor/pack.h"
#include "tensor/with_format.h"

namespace gptj {
namespace {

std::vector<DType> quantized_dtypes() {
  std::vector<DType> all = test::all_dtypes();
  std::erase_if(all, [](DType dtype) { return !test::is_quantized(dtype); });
  return all;
}

std::vector<float> normal(int64_t n, uint32_t seed, float size = 0.02f) {
  std::mt19937 random(seed);
  std::normal_distribution<float> value(0, size);
  std::vector<float> out(static_cast<size_t>(n));
  for (float& x : out) x = value(random);
  return out;
}

std::vector<float> stored(DType dtype, const std::vector<float>& x, const float* importance = nullptr) {
  const auto n = static_cast<int64_t>(x.size());
  std::vector<uint8_t> bytes(row_bytes(dtype, n), 0xee);
  EXPECT_TRUE(quantize_row(dtype, x.data(), n, importance, bytes.data()));
  std::vector<float> out(x.size());
  to_f32(dtype, bytes.data(), n, out.data());
  return out;
}

/// Sum of weight * (a - b)^2; weights nullptr: 1.
double error(const std::vector<float>& a, const std::vector<float>& b, const float* weights = nullptr) {
  double sum = 0;
  for (size_t k = 0; k < a.size(); ++k) {
    const double difference = double{a[k]} - double{b[k]};
    sum += (weights == nullptr ? 1.0 : double{weights[k]}) * difference * difference;
  }
  return sum;
}

/// What ggml's quantizers without a search make of a row: the value of the largest magnitude goes to the lowest
/// number, or the least and the largest value to the ends.
std::vector<float> plain(DType dtype, const std::vector<float>& x) {
  std::vector<float> out(x.size());
  with_format(dtype, [&]<class Format>(Format) {
    if constexpr (kIsQuantized<Format>) {
      std::vector<int> numbers;
      for (int q = 0; q < 1 << Format::kBits; ++q) {
        numbers.push_back(Format::kSigned ? q - 128 : Format::level(q) + Format::kOffset);
      }
      for (size_t begin = 0; begin < x.size(); begin += Format::kBlock) {
        const float* from = x.data() + begin;
        const auto [low, high] = std::minmax_element(from, from + Format::kBlock);
        const float largest = -*low > *high ? *low : *high;
        float d = largest / static_cast<float>(Format::kSigned ? 127 : numbers.front()), m = 0;
        if (Format::kHasMin) {
          d = (*high - *low) / static_cast<float>(numbers.back());
          m = f16_to_f32(f32_to_f16(*low));
        }
        const float rounded = f16_to_f32(f32_to_f16(d));
        for (int k = 0; k < Format::kBlock; ++k) {
          const auto distance = [&](int number) {
            return std::abs(from[k] - m - d * static_cast<float>(number));
          };
          const int nearest = *std::min_element(numbers.begin(), numbers.end(),
                                                [&](int a, int b) { return distance(a) < distance(b); });
          out[begin + static_cast<size_t>(k)] = rounded * static_cast<float>(nearest) + m;
        }
      }
    }
  });
  return out;
}

TEST(Encode, IsWhatDequantizingReads) {
  std::mt19937 random(5);
  for (const DType dtype : quantized_dtypes()) {
    with_format(dtype, [&]<class Format>(Format) {
      if constexpr (kIsQuantized<Format>) {
        const uint16_t scales[2] = {f32_to_f16(0.5f), f32_to_f16(-3.0f)};
        uint8_t q[Format::kBlock];
        for (uint8_t& one : q) one = static_cast<uint8_t>(random() % (1u << Format::kBits));
        std::vector<uint8_t> block(Format::kFileBlock, 0xee);
        Format::encode(scales, q, block.data());
        float values[Format::kBlock];
        Format::dequantize(block.data(), values);
        for (int k = 0; k < Format::kBlock; ++k) {
          const int number =
              Format::kSigned ? static_cast<int8_t>(q[k]) : Format::level(q[k]) + Format::kOffset;
          EXPECT_EQ(values[k], 0.5f * static_cast<float>(number) - (Format::kHasMin ? 3.0f : 0.0f))
              << info(dtype).name << ", value " << k;
        }
      }
    });
  }
}

TEST(QuantizeRow, NoWorseThanWithoutASearch) {
  for (const DType dtype : quantized_dtypes()) {
    SCOPED_TRACE(info(dtype).name);
    // By chance a single block may be worse, by the rounding of its scale.
    const std::vector<float> x = normal(128 * 64, 1);
    const double searched = error(x, stored(dtype, x)), without = error(x, plain(dtype, x));
    const int bits = static_cast<int>(8 * info(dtype).block_bytes) / info(dtype).block;
    EXPECT_LT(searched, without * (bits == 4 ? 0.9 : 1.0));
  }
}

TEST(QuantizeRow, OurFourBitsAreBetterThanEvenOnes) {
  const std::vector<float> x = normal(128 * 64, 2);
  const double ours = error(x, stored(DType::q4, x));
  EXPECT_LT(ours, 0.85 * error(x, stored(DType::q4_0, x)));
  EXPECT_LT(ours, 0.75 * error(x, plain(DType::q4_0, x)));
}

TEST(QuantizeRow, WhatMattersIsKeptBetter) {
  std::mt19937 random(3);
  for (const DType dtype : quantized_dtypes()) {
    SCOPED_TRACE(info(dtype).name);
    const std::vector<float> x = normal(128 * 64, 3);
    std::vector<float> importance(x.size());
    for (float& one : importance) one = random() % 4 == 0 ? 100.0f : 1.0f;
    const double guided = error(x, stored(dtype, x, importance.data()), importance.data());
    EXPECT_LT(guided, 0.98 * error(x, stored(dtype, x), importance.data()));
    EXPECT_GT(error(x, stored(dtype, x, importance.data())), error(x, stored(dtype, x)));
  }
}

TEST(QuantizeRow, ImportanceHasNoScaleAndMayBeZero) {
  for (const DType dtype : quantized_dtypes()) {
    const std::vector<float> x = normal(256, 4);
    const auto with = [&](float one) {
      const std::vector<float> importance(x.size(), one);
      return stored(dtype, x, importance.data());
    };
    EXPECT_EQ(with(0), stored(dtype, x)) << info(dtype).name;
    EXPECT_EQ(with(1e-30f), with(1)) << info(dtype).name;
    EXPECT_EQ(with(1e30f), with(1)) << info(dtype).name;
  }
}

TEST(QuantizeRow, BlocksOfOneValue) {
  for (const DType dtype : test::all_dtypes()) {
    for (const float value : {0.0f, 1.0f, -1.0f, 0.02f, -30000.0f, 1e-20f}) {
      const std::vector<float> x(256, value);
      for (const float y : stored(dtype, x)) {
        EXPECT_NEAR(y, value, std::abs(value) / 256 + 1e-7f) << info(dtype).name;
      }
    }
  }
}

TEST(QuantizeRow, OneLargeValueAmongZeros) {
  for (const DType dtype : quantized_dtypes()) {
    for (const float value : {1.0f, -1.0f}) {
      std::vector<float> x(256, 0.0f);
      x[37] = value;
      const std::vector<float> y = stored(dtype, x);
      EXPECT_NEAR(y[37], value, 1e-3f) << info(dtype).name;
      EXPECT_LT(error(x, y), 1e-5) << info(dtype).name;
    }
  }
}

TEST(QuantizeRow, RefusesWhatCannotBeStored) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const DType dtype : test::all_dtypes()) {
    std::vector<float> x(256, 1.0f);
    std::vector<uint8_t> out(row_bytes(dtype, 256));
    for (const float value : {kInfinity, -kInfinity, std::numeric_limits<float>::quiet_NaN()}) {
      x[200] = value;
      EXPECT_FALSE(quantize_row(dtype, x.data(), 256, nullptr, out.data()))
          << info(dtype).name << ", " << value;
    }
    x[200] = 3e38f;
    const bool has_room = dtype == DType::f32 || dtype == DType::bf16;
    EXPECT_EQ(quantize_row(dtype, x.data(), 256, nullptr, out.data()), has_room) << info(dtype).name;
  }
}

TEST(QuantizeRow, PlainTypesRoundToNearest) {
  const std::vector<float> x = {1.0f + 0x1p-11f, 1.0f + 0x1.8p-10f, 1.0f + 0x1p-8f, 1.0f + 0x1.8p-7f, -2.5f};
  EXPECT_EQ(stored(DType::f32, x), x);
  EXPECT_EQ(stored(DType::f16, x), (std::vector<float>{1.0f, 1.0f + 0x1p-9f, x[2], x[3], -2.5f}));
  EXPECT_EQ(stored(DType::bf16, x), (std::vector<float>{1.0f, 1.0f, 1.0f, 1.0f + 0x1p-6f, -2.5f}));
}

}  // namespace
}  // namespace gptj
