#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "base/half.h"
#include "kernels/operand_row.h"
#include "kernels/tested_sets.h"
#include "tensor/formats/quantized.h"

namespace gptj {
namespace {

class VectorTest : public KernelTest {};

constexpr int kSizes[] = {1, 15, 16, 31, 33, 127, 768, 1023};

TEST_P(VectorTest, LayerNorm) {
  for (const int n : kSizes) {
    const auto x = values(n), gain = values(n), bias = values(n);
    std::vector<float> y(x.size(), 99.0f);
    const float eps = 1e-3f;
    table().layer_norm(x.data(), gain.data(), bias.data(), n, eps, y.data());
    double mean = 0, variance = 0;
    for (int i = 0; i < n; ++i) mean += static_cast<double>(x[static_cast<size_t>(i)]) / n;
    for (int i = 0; i < n; ++i)
      variance += std::pow(static_cast<double>(x[static_cast<size_t>(i)]) - mean, 2) / n;
    for (size_t i = 0; i < static_cast<size_t>(n); ++i) {
      const double normed =
          (static_cast<double>(x[i]) - mean) / std::sqrt(variance + static_cast<double>(eps));
      ASSERT_NEAR(y[i], normed * static_cast<double>(gain[i]) + static_cast<double>(bias[i]), 4e-6)
          << "n " << n << " at " << i;
    }
    EXPECT_EQ(y[static_cast<size_t>(n)], 99.0f) << "wrote beyond n = " << n;
  }
}

/// Numbers [begin, end) of a row that was packed in 8 bits: the largest is 127. Returns their scale.
float expect_rounded(const std::vector<float>& x, const int8_t* q, size_t begin, size_t end) {
  float largest = 0;
  for (size_t i = begin; i < end; ++i) largest = std::max(largest, std::abs(x[i]));
  const float inverse = largest > 0 ? 127.0f / largest : 0.0f;
  for (size_t i = begin; i < end; ++i) EXPECT_EQ(q[i], static_cast<int>(std::nearbyint(x[i] * inverse)));
  return largest / 127.0f;
}

/// The row that tests make: not the first one where 16 rows lie together, and not among the first 16.
constexpr int kRow = 19;

std::vector<uint8_t> room_for_rows(Operand operand, int n, uint8_t filled_with) {
  const int64_t rows = round_up(kRow + 1, kOperandRows);
  return std::vector<uint8_t>(static_cast<size_t>(rows * operand_stride(operand, n)), filled_with);
}

TEST_P(VectorTest, BlocksAreRoundedToTheirLargest) {
  constexpr int kN = 96;
  for (const bool with_zeros : {false, true}) {
    auto x = values(kN);
    if (with_zeros) std::fill_n(x.begin() + 32, 32, 0.0f);
    std::vector<uint8_t> row(static_cast<size_t>(operand_stride(Operand::blocks, kN)));
    table().pack[static_cast<int>(Operand::blocks)](x.data(), kN, 0, row.data());
    const auto* q = reinterpret_cast<const int8_t*>(row.data());
    const auto* scales = reinterpret_cast<const BlockScale*>(&row[operand_numbers(Operand::blocks, kN)]);
    for (size_t b = 0; b < kN / 32; ++b) {
      EXPECT_EQ(scales[b].d, expect_rounded(x, q, 32 * b, 32 * b + 32));
      int total = 0;
      int16_t pairs[2][2] = {};  // [all, the second half][values 4 i and 4 i + 1, values 4 i + 2 and 4 i + 3]
      for (size_t i = 0; i < 32; ++i) {
        const int8_t byte = q[b * 32 + i];
        total += byte;
        for (size_t part = 0; part <= i / 16; ++part) pairs[part][i % 4 / 2] += static_cast<int16_t>(byte);
      }
      EXPECT_EQ(scales[b].d_sum, scales[b].d * static_cast<float>(total));
      EXPECT_EQ(0, std::memcmp(scales[b].pair_sums, pairs, sizeof pairs));
    }
  }
}

TEST_P(VectorTest, SlabsAreRoundedToTheirLargest) {
  const auto pack = table().pack[static_cast<int>(Operand::slabs)];
  if (pack == nullptr) GTEST_SKIP() << "no product wants them";
  for (const int n : {32, 512, 1056}) {
    const auto x = values(n);
    auto rows = room_for_rows(Operand::slabs, n, 0);
    pack(x.data(), n, kRow, rows.data());
    const OperandRow row(table(), Operand::slabs, n, kRow, rows.data());
    const auto q = row.bytes(0, n);
    for (int begin = 0; begin < n; begin += kByteSlab) {
      const int end = std::min(n, begin + kByteSlab);
      const auto scale = row.scale<SlabScale>(begin / kByteSlab);
      EXPECT_EQ(scale.d, expect_rounded(x, q.data(), static_cast<size_t>(begin), static_cast<size_t>(end)));
      const int sum = std::accumulate(q.begin() + begin, q.begin() + end, 0);
      EXPECT_TRUE(scale.start == 0 || scale.start == -128 * sum) << scale.start;
    }
  }
}

TEST_P(VectorTest, Bf16IsRoundedToNearestAndCompletedWithZeros) {
  const auto pack = table().pack[static_cast<int>(Operand::bf16)];
  if (pack == nullptr) GTEST_SKIP() << "no product wants it";
  for (const int n : {1, 16, 31, 100}) {
    const auto x = values(n);
    auto rows = room_for_rows(Operand::bf16, n, 0xff);
    pack(x.data(), n, kRow, rows.data());
    const OperandRow row(table(), Operand::bf16, n, kRow, rows.data());
    for (int i = 0; i < (n + 1) / 2 * 2; ++i) {
      uint16_t half;
      std::memcpy(&half, row.number(2 * i), sizeof half);
      ASSERT_EQ(half, i < n ? f32_to_bf16(x[static_cast<size_t>(i)]) : 0) << i << " of " << n;
    }
  }
}

TEST_P(VectorTest, RotateTurnsInterleavedPairs) {
  constexpr int kRot = 12;
  auto x = values(16);
  const auto before = x;
  std::vector<float> angles;
  for (int i = 0; i < kRot / 2; ++i) {
    const float angle = uniform(-7, 7);
    angles.push_back(std::cos(angle));
    angles.push_back(std::sin(angle));
  }
  table().rotate(x.data(), angles.data(), kRot);
  for (size_t i = 0; i < kRot; i += 2) {
    EXPECT_NEAR(x[i], before[i] * angles[i] - before[i + 1] * angles[i + 1], 2e-7);
    EXPECT_NEAR(x[i + 1], before[i + 1] * angles[i] + before[i] * angles[i + 1], 2e-7);
  }
  for (size_t i = kRot; i < 16; ++i) EXPECT_EQ(x[i], before[i]);
}

TEST_P(VectorTest, ActivationsFollowTheirFormulas) {
  double (*const references[])(double) = {
      [](double v) { return 0.5 * v * (1 + std::tanh(std::sqrt(2 / M_PI) * (v + 0.044715 * v * v * v))); },
      [](double v) { return 0.5 * v * std::erfc(-v / std::sqrt(2.0)); },
      [](double v) { return v > 0 ? v : 0.0; },
  };
  for (int f = 0; f < kNumActivations; ++f) {
    std::vector<float> x;
    for (double v = -20; v <= 20; v += 0.0078125) x.push_back(static_cast<float>(v));
    for (const float v : {0.0f, -0.0f, 1e-30f, -1e-30f, 1e4f, -1e4f, 100.0f, -100.0f}) x.push_back(v);
    x.resize((x.size() + 15) / 16 * 16);
    const auto before = x;
    table().activations[f](x.data(), static_cast<int>(x.size()));
    for (size_t i = 0; i < x.size(); ++i) {
      const double expected = references[f](static_cast<double>(before[i]));
      ASSERT_NEAR(x[i], expected, 4e-7 * std::max(1.0, std::abs(expected)))
          << "activation " << f << " of " << before[i];
    }
  }
}

TEST_P(VectorTest, F16OfTheCacheIsRoundedToNearestEven) {
  std::vector<float> x;
  for (uint32_t bits = 0; bits < 0x7f800000u; bits += 99991) {
    const auto value = std::bit_cast<float>(bits);
    x.push_back(value);
    x.push_back(-value);
  }
  for (const float v : {65504.0f, 65519.9f, 65520.0f, 1e30f, 5.9604645e-8f, 2.9802322e-8f, 2.98023259e-8f})
    x.push_back(v);
  constexpr size_t kHeadDim = 64;
  x.resize((x.size() + kHeadDim - 1) / kHeadDim * kHeadDim);
  std::vector<uint16_t> keys(kPanelRows * kHeadDim), values(keys.size());
  const int page = 0;
  const KvHead head{{keys.data(), values.data(), nullptr, nullptr, kPanelRows}, 0, 0, &page};
  for (size_t i = 0; i < x.size(); i += kHeadDim) {
    table().kv[static_cast<int>(KvType::f16)].store(head, 0, &x[i], &x[i], kHeadDim);
    for (size_t d = 0; d < kHeadDim; ++d) ASSERT_EQ(keys[d * kPanelRows], f32_to_f16(x[i + d])) << x[i + d];
  }
}

INSTANTIATE_TEST_SUITE_P(Sets, VectorTest, testing::ValuesIn(tested_sets()), set_name);

}  // namespace
}  // namespace gptj
