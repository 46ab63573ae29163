// The scalar conversions against their definition in double.

#include "base/half.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

namespace gptj {
namespace {

constexpr uint32_t kAll = 1 << 16;

/// IEEE 754 binary16: sign, 5 bits of exponent with bias 15, 10 bits of mantissa.
double value_of_f16(uint32_t half) {
  const int exponent = static_cast<int>(half >> 10 & 31), mantissa = static_cast<int>(half & 1023);
  const double sign = (half & 0x8000) != 0 ? -1.0 : 1.0;
  if (exponent == 31) return mantissa == 0 ? sign * INFINITY : NAN;
  if (exponent == 0) return sign * std::ldexp(mantissa, -24);
  return sign * std::ldexp(1024 + mantissa, exponent - 25);
}

/// The nearest value that F16 has, ties to even: a multiple of 2^-10 of the power of two below, or of 2^-24.
double rounded_to_f16(double x) {
  if (std::abs(x) >= 65520) return std::copysign(INFINITY, x);
  const int exponent = x == 0 ? -14 : std::max(std::ilogb(x), -14);
  const double unit = std::ldexp(1.0, exponent - 10);
  return std::nearbyint(x / unit) * unit;
}

void expect_rounds(float x) {
  const uint16_t half = f32_to_f16(x);
  const double expected = rounded_to_f16(static_cast<double>(x));
  ASSERT_EQ(value_of_f16(half), expected) << std::hexfloat << x;
  ASSERT_EQ((half & 0x8000) != 0, std::signbit(x)) << std::hexfloat << x;
}

TEST(Half, EveryF16HasItsValue) {
  for (uint32_t half = 0; half < kAll; ++half) {
    const double expected = value_of_f16(half);
    const float found = f16_to_f32(static_cast<uint16_t>(half));
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(found)) << half;
    } else {
      ASSERT_EQ(static_cast<double>(found), expected) << half;
    }
    ASSERT_EQ(std::signbit(found), (half & 0x8000) != 0) << half;
  }
}

TEST(Half, EveryF16ComesBack) {
  for (uint32_t half = 0; half < kAll; ++half) {
    const uint16_t back = f32_to_f16(f16_to_f32(static_cast<uint16_t>(half)));
    if (std::isnan(value_of_f16(half))) {
      ASSERT_TRUE(std::isnan(value_of_f16(back))) << half;
      ASSERT_EQ(back & 0x8000U, half & 0x8000U) << half;
    } else {
      ASSERT_EQ(back, half);
    }
  }
}

TEST(Half, RoundsAroundEveryMidpoint) {
  for (uint32_t half = 0; half < 0x7c00; ++half) {
    const double above = half == 0x7bff ? 65536 : value_of_f16(half + 1);
    const auto middle = static_cast<float>((value_of_f16(half) + above) / 2);
    for (const float x : {middle, std::nextafter(middle, 0.0f), std::nextafter(middle, INFINITY)}) {
      expect_rounds(x);
      expect_rounds(-x);
    }
  }
}

TEST(Half, RoundsAnyF32) {
  constexpr uint32_t kStep = 4093;  // a prime: every exponent, and all kinds of low bits
  for (uint64_t bits = 0; bits <= std::numeric_limits<uint32_t>::max(); bits += kStep) {
    const auto x = std::bit_cast<float>(static_cast<uint32_t>(bits));
    if (std::isnan(x)) {
      ASSERT_TRUE(std::isnan(value_of_f16(f32_to_f16(x)))) << bits;
    } else {
      expect_rounds(x);
    }
  }
  using Limits = std::numeric_limits<float>;
  for (const float x : {0.0f, Limits::denorm_min(), Limits::min(), Limits::max(), Limits::infinity()}) {
    expect_rounds(x);
    expect_rounds(-x);
  }
  for (const uint32_t nan : {0x7f800001u, 0x7fc00000u, 0xff800001u, 0xffffffffu}) {
    EXPECT_TRUE(std::isnan(value_of_f16(f32_to_f16(std::bit_cast<float>(nan))))) << nan;
  }
}

TEST(Half, EveryBf16IsTheUpperHalfOfAnF32) {
  for (uint32_t half = 0; half < kAll; ++half) {
    ASSERT_EQ(std::bit_cast<uint32_t>(bf16_to_f32(static_cast<uint16_t>(half))), half << 16);
  }
}

}  // namespace
}  // namespace gptj
