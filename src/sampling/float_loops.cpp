#include "sampling/float_loops.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>

namespace gptj {
namespace {

constexpr size_t kLanes = 16;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// lane = step(lane, i) for all i < n; each lane has every kLanes-th i.
template <typename Step>
void in_lanes(size_t n, std::array<float, kLanes>& lanes, const Step& step) {
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) lanes[lane] = step(lanes[lane], i + lane);
  }
  for (size_t lane = 0; i < n; ++i, ++lane) lanes[lane] = step(lanes[lane], i);
}

/// Sum of term(i), i < n: short stretches in F32, and these in F64, so the error is that of F32's rounding however
/// large n is.
template <typename Term>
double sum_of(size_t n, const Term& term) {
  constexpr size_t kStretch = 32 * kLanes;
  double sum = 0;
  for (size_t begin = 0; begin < n; begin += kStretch) {
    std::array<float, kLanes> lanes{};
    in_lanes(std::min(kStretch, n - begin), lanes,
             [&](float lane, size_t i) { return lane + term(begin + i); });
    for (const float lane : lanes) sum += static_cast<double>(lane);
  }
  return sum;
}

/// Selects without a branch, which would keep compilers from vectorizing.
float zero_unless(bool condition, float x) {
  return std::bit_cast<float>(std::bit_cast<uint32_t>(x) & (condition ? ~0U : 0U));
}

constexpr float kFarthest = -88;  // e^x is zero from here on: less than the smallest normal float

/// e^x for kFarthest <= x <= 0: x = n ln 2 + r, and Taylor's series of e^r, |r| <= ln 2 / 2, whose eighth
/// term is below 2^-22.
float exp_of(float x) {
  constexpr float kLog2E = 1.442695041f;
  constexpr float kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;  // n times the first is exact
  const auto n = static_cast<int32_t>(x * kLog2E - 0.5f);  // rounds to nearest, as it is not positive
  const auto whole = static_cast<float>(n);
  const float r = x - whole * kLn2High - whole * kLn2Low;
  float series = 1.0f / 720;
  series = series * r + 1.0f / 120;
  series = series * r + 1.0f / 24;
  series = series * r + 1.0f / 6;
  series = series * r + 0.5f;
  series = series * r + 1.0f;
  series = series * r + 1.0f;
  constexpr int kBias = 127, kMantissa = 23;  // the smallest n, -127, gives the bits of zero
  return series * std::bit_cast<float>((n + kBias) << kMantissa);
}

}  // namespace

float max_of(std::span<const float> x) {
  std::array<float, kLanes> lanes;
  lanes.fill(-kInfinity);
  in_lanes(x.size(), lanes, [&](float lane, size_t i) { return x[i] > lane ? x[i] : lane; });
  return *std::max_element(lanes.begin(), lanes.end());
}

double exp_of(std::span<const float> x, float max, std::span<float> out) {
  assert(out.size() >= x.size());
  // Two loops: in a single one gcc makes a branch for what is too far, which it knows to become zero, and no vectors.
  for (size_t i = 0; i < x.size(); ++i) out[i] = x[i] - max > kFarthest ? x[i] - max : kFarthest;
  for (size_t i = 0; i < x.size(); ++i) out[i] = exp_of(out[i]);
  return sum_of(x.size(), [&](size_t i) { return out[i]; });
}

double mean_distance(std::span<const float> x, float max, std::span<const float> weights) {
  return sum_of(x.size(), [&](size_t i) {
    // Limited to where weights become zero: zero times infinity would be NaN.
    const float distance = max - x[i];
    return weights[i] * (distance < -kFarthest ? distance : -kFarthest);
  });
}

double deviation_of(std::span<const float> x, float max) {
  const auto finite = [&](size_t i) { return x[i] > -kInfinity; };
  const double n = sum_of(x.size(), [&](size_t i) { return zero_unless(finite(i), 1); });
  const double mean = sum_of(x.size(), [&](size_t i) { return zero_unless(finite(i), x[i] - max); }) / n;
  const double squares = sum_of(x.size(), [&, middle = max + static_cast<float>(mean)](size_t i) {
    const float distance = x[i] - middle;
    return zero_unless(finite(i), distance * distance);
  });
  return std::sqrt(squares / n);
}

float bound_of_best(std::span<const float> x, size_t n, std::span<float> scratch) {
  // Each group has every kGroups-th value. The n-th largest of the groups' maxima is reached by n values at least,
  // and by few more if the best ones lie scattered.
  constexpr size_t kGroups = 1024;
  assert(n > 0 && n <= x.size() && scratch.size() >= x.size());
  const bool by_groups = n <= kGroups / 4 && x.size() >= 4 * kGroups;
  const std::span<float> maxima = scratch.first(by_groups ? kGroups : x.size());
  std::copy_n(x.begin(), maxima.size(), maxima.begin());
  for (size_t begin = maxima.size(); begin < x.size(); begin += maxima.size()) {
    const std::span<const float> row = x.subspan(begin, std::min(maxima.size(), x.size() - begin));
    for (size_t i = 0; i < row.size(); ++i) maxima[i] = row[i] > maxima[i] ? row[i] : maxima[i];
  }
  const auto nth = maxima.begin() + static_cast<ptrdiff_t>(n - 1);
  std::nth_element(maxima.begin(), nth, maxima.end(), std::greater<>());
  return *nth;
}

}  // namespace gptj
