#include "tensor/quantize.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/half.h"
#include "tensor/with_format.h"

namespace gptj {
namespace {

/// The lowest and highest number that an evenly spaced format stores. In 8 bits -128 stays unused, because products
/// take absolute values in 8 bits.
template <class Format>
constexpr int kLowest = Format::kSigned ? -127 : Format::kOffset;
template <class Format>
constexpr int kHighest = Format::kSigned ? 127 : Format::kOffset + (1 << Format::kBits) - 1;

/// Four numbers at a time: a type of gcc and clang for which every CPU of today has registers. Left to themselves,
/// compilers keep these loops scalar, at four times the time.
using Four [[gnu::vector_size(16)]] = float;
using FourIndices [[gnu::vector_size(16)]] = int32_t;

Four load(const float* from) {
  Four out;
  std::memcpy(&out, from, sizeof(out));
  return out;
}
float sum(const Four& v) {
  return (v[0] + v[1]) + (v[2] + v[3]);
}
Four limit(const Four& v, float low, float high) {
  const Four above = v > low ? v : Four{} + low;
  return above < high ? above : Four{} + high;
}
FourIndices truncate(const Four& v) {
  return __builtin_convertvector(v, FourIndices);
}

/// What a grid has nearest to a number: its levels are integers, so all midpoints between two are multiples of a half.
template <class Format>
struct NearestOfGrid {
  static constexpr int kEntries = 2 * -2 * Format::kOffset;
  float number[kEntries] = {};  // by floor(2 * (number - offset))
  uint8_t stored[kEntries] = {};

  constexpr NearestOfGrid() {
    for (int i = 0, q = 0; i < kEntries; ++i) {
      while (q < 15 && Format::level(q) + Format::level(q + 1) <= i) ++q;
      number[i] = static_cast<float>(Format::level(q) + Format::kOffset);
      stored[i] = static_cast<uint8_t>(q);
    }
  }
  static FourIndices index(const Four& u) {
    return truncate(limit(2.0f * (u - static_cast<float>(Format::kOffset)), 0.0f, kEntries - 1));
  }
};
template <class Format>
constexpr NearestOfGrid<Format> kNearest{};

/// The numbers nearest to u that the format has, before the scale.
template <class Format>
Four nearest(const Four& u) {
  if constexpr (Format::kHasGrid) {
    const FourIndices i = NearestOfGrid<Format>::index(u);
    const auto& number = kNearest<Format>.number;
    return Four{number[i[0]], number[i[1]], number[i[2]], number[i[3]]};
  } else {
    constexpr auto kLow = static_cast<float>(kLowest<Format>), kHigh = static_cast<float>(kHighest<Format>);
    const Four above_low = limit(u, kLow, kHigh) - kLow;
    return __builtin_convertvector(truncate(above_low + 0.5f), Four) + kLow;
  }
}

/// The q that store them.
template <class Format>
void nearest_stored(const Four& u, uint8_t* q) {
  FourIndices out;
  if constexpr (Format::kHasGrid) {
    out = NearestOfGrid<Format>::index(u);
    for (int i = 0; i < 4; ++i) out[i] = kNearest<Format>.stored[out[i]];
  } else {
    out = truncate(nearest<Format>(u)) - (Format::kSigned ? 0 : Format::kOffset);
  }
  for (int i = 0; i < 4; ++i) q[i] = static_cast<uint8_t>(out[i]);
}

/// value = d * number + m
struct Scales {
  float d = 0, m = 0;

  Scales rounded() const { return {f16_to_f32(f32_to_f16(d)), f16_to_f32(f32_to_f16(m))}; }
  bool finite() const { return std::isfinite(d) && std::isfinite(m); }
  float inverse() const { return d == 0 ? 0.0f : 1.0f / d; }
};

/// Searches the scales of one block, as ggml's make_qx_quants() and make_qkx3_quants() do: scales give the nearest
/// numbers, and these by least squares better scales. It starts from several scales around the one that just reaches
/// the largest value, since a little clipping often pays.
template <class Format>
class BlockSearch {
 public:
  static constexpr int kN = Format::kBlock;

  BlockSearch(const float* x, const float* weights) : x_(x), w_(weights) {
    for (int k = 0; k < kN; ++k) sum_of_weights_ += w_[k];
  }

  /// False if F16 cannot hold the scales.
  bool run(uint8_t* block) {
    if constexpr (Format::kHasMin) {
      begin_with_range();
    } else {
      begin_with_largest();
    }
    if (!polish()) return false;
    write(block);
    return true;
  }

 private:
  // Few bits gain much by a search, many little. Twice as many steps: 0.1 % less error at 4 bits.
  static constexpr int kSteps = Format::kBits <= 4 ? 10 : Format::kBits == 5 ? 8 : 6;
  static constexpr float kFirst = Format::kBits <= 4 ? 0.76f : Format::kBits == 5 ? 0.86f : 0.96f;
  static constexpr float kLast = Format::kBits <= 4 ? 1.2f : Format::kBits == 5 ? 1.1f : 1.0f;

  static float step(int i) { return kFirst + (kLast - kFirst) * static_cast<float>(i) / (kSteps - 1); }

  void begin_with_largest() {
    float largest = 0;
    for (int k = 0; k < kN; ++k) {
      if (std::abs(x_[k]) > std::abs(largest)) largest = x_[k];
    }
    constexpr int kReach = std::max(-kLowest<Format>, kHighest<Format>);
    constexpr bool kSymmetric = kLowest<Format> == -kHighest<Format>;
    for (int i = 0; i < kSteps; ++i) {
      const float d = largest / (step(i) * kReach);
      consider({-d, 0});
      if (!kSymmetric) consider({d, 0});
    }
  }

  void begin_with_range() {
    const auto [low, high] = std::minmax_element(x_, x_ + kN);
    for (int i = 0; i < kSteps; ++i) {
      const float d = (*high - *low) / (step(i) * kHighest<Format>);
      consider({d, (*low + *high - d * kHighest<Format>) / 2});
    }
  }

  /// Weighted sums over a block whose values become the nearest numbers q at some scales: e = x - (d * q + m).
  struct Sums {
    float ee = 0, eq = 0, qq = 0;
    float e = 0, q = 0;  // with a minimum only
  };
  Sums sums(const Scales& at) const {
    const float inverse = at.inverse();
    Four ee{}, eq{}, qq{}, e_sum{}, q_sum{};
    for (int k = 0; k < kN; k += 4) {
      const Four x = load(x_ + k), w = load(w_ + k);
      const Four q = nearest<Format>((x - at.m) * inverse);
      const Four e = x - (at.d * q + at.m);
      const Four we = w * e, wq = w * q;
      ee += we * e;
      eq += we * q;
      qq += wq * q;
      if constexpr (Format::kHasMin) {
        e_sum += we;
        q_sum += wq;
      }
    }
    return {sum(ee), sum(eq), sum(qq), sum(e_sum), sum(q_sum)};
  }

  /// The least squares' change of the scales, for the same numbers.
  Scales change(const Sums& s) const {
    if constexpr (Format::kHasMin) {
      const float determinant = s.qq * sum_of_weights_ - s.q * s.q;
      if (determinant > 0) {
        return {(s.eq * sum_of_weights_ - s.e * s.q) / determinant, (s.qq * s.e - s.q * s.eq) / determinant};
      }
      return {0, s.e / sum_of_weights_};
    }
    return {s.qq > 0 ? s.eq / s.qq : 0.0f, 0};
  }
  float error_after(const Sums& s, const Scales& change) const {
    const auto [d, m] = change;
    const float by_scale = s.ee - 2 * d * s.eq + d * d * s.qq;
    return Format::kHasMin ? by_scale - 2 * m * s.e + 2 * d * m * s.q + m * m * sum_of_weights_ : by_scale;
  }

  void consider(const Scales& at) {
    const Sums s = sums(at);
    const Scales by = change(s);
    keep({at.d + by.d, at.m + by.m}, error_after(s, by));
  }
  void keep(const Scales& scales, float error) {
    if (!(error < error_)) return;
    error_ = error;
    best_ = scales;
  }

  /// From the best scales so far to the best that F16 can hold: from here on only such scales are compared.
  bool polish() {
    constexpr int kRounds = 4;
    Scales at = best_.rounded();
    if (!at.finite()) return false;
    error_ = std::numeric_limits<float>::infinity();
    for (int round = 0; round < kRounds; ++round) {
      const Sums s = sums(at);
      keep(at, s.ee);
      const Scales by = change(s);
      const Scales next = Scales{at.d + by.d, at.m + by.m}.rounded();
      if (!next.finite() || (next.d == at.d && next.m == at.m)) break;
      at = next;
    }
    return std::isfinite(error_);
  }

  void write(uint8_t* block) const {
    const uint16_t scales[2] = {f32_to_f16(best_.d), f32_to_f16(best_.m)};
    const float inverse = best_.inverse();
    uint8_t q[kN];
    for (int k = 0; k < kN; k += 4) nearest_stored<Format>((load(x_ + k) - best_.m) * inverse, q + k);
    Format::encode(scales, q, block);
  }

  const float* x_;
  const float* w_;
  float sum_of_weights_ = 0;
  Scales best_;
  float error_ = std::numeric_limits<float>::infinity();
};

/// The weights of the errors in one block: all the same without importance, or where no column has any. Where columns
/// differ in importance, large values weigh more, too, as in llama.cpp's k-quants: without this factor the divergence
/// of whole models is 5 % larger at 4 bits.
template <int n>
void block_weights(const float* x, const float* importance, float mean_square, float (&out)[n]) {
  const float most = importance == nullptr ? 0.0f : *std::max_element(importance, importance + n);
  for (int k = 0; k < n; ++k) {
    out[k] = most > 0 ? importance[k] / most * std::sqrt(2 * mean_square + x[k] * x[k]) : 1.0f;
  }
}

float mean_square_of(const float* x, int64_t n) {
  double sum = 0;
  for (int64_t k = 0; k < n; ++k) sum += double{x[k]} * double{x[k]};
  return static_cast<float>(sum / static_cast<double>(n));
}

bool all_finite(const float* x, int64_t n) {
  return std::all_of(x, x + n, [](float value) { return std::isfinite(value); });
}

template <class Format>
bool quantize_blocks(const float* x, int64_t n, const float* importance, uint8_t* out) {
  float weights[Format::kBlock];
  const float mean_square = importance == nullptr ? 0.0f : mean_square_of(x, n);
  for (int64_t k = 0; k < n; k += Format::kBlock, out += Format::kFileBlock) {
    block_weights(x + k, importance == nullptr ? nullptr : importance + k, mean_square, weights);
    if (!BlockSearch<Format>(x + k, weights).run(out)) return false;
  }
  return true;
}

template <class Format>
bool convert(const float* x, int64_t n, uint8_t* out) {
  bool finite = true;
  for (int64_t k = 0; k < n; ++k, out += sizeof(typename Format::Number)) {
    const typename Format::Number number = Format::from_f32(x[k]);
    finite &= std::isfinite(Format::to_f32(number));
    std::memcpy(out, &number, sizeof number);
  }
  return finite;
}

}  // namespace

bool quantize_row(DType dtype, const float* x, int64_t n, const float* importance, uint8_t* out) {
  assert(n % info(dtype).block == 0);
  if (!all_finite(x, n)) return false;
  bool fits = false;
  with_format(dtype, [&]<class Format>(Format) {
    if constexpr (kIsQuantized<Format>) {
      fits = quantize_blocks<Format>(x, n, importance, out);
    } else {
      fits = convert<Format>(x, n, out);
    }
  });
  return fits;
}

}  // namespace gptj
