#pragma once

#include "kernels/kernels.h"
#include "kernels/operand_rows.h"
#include "tensor/formats/quantized.h"

/// Kernels over one row of activations.
namespace gptj {

/// e^x within 2 ulp: x = n ln 2 + r, a polynomial for e^r (Cephes expf), 2^n through the exponent's bits.
/// Below -87 the result is about 1e-38, as good as zero; NaN becomes some finite number.
template <class S>
inline typename S::F exp(typename S::F x) {
  using F = typename S::F;
  x = S::min(S::max(x, S::set1(-87.0f)), S::set1(88.0f));
  const typename S::I n = S::to_int(S::mul(x, S::set1(1.44269504f)));
  F r = S::fma(S::to_float(n), S::set1(-0.693359375f), x);
  r = S::fma(S::to_float(n), S::set1(2.12194440e-4f), r);
  F p = S::set1(1.9875691500e-4f);
  constexpr float kRest[] = {1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f, 0.5f};
  for (const float c : kRest) p = S::fma(p, r, S::set1(c));
  const F e = S::add(S::fma(S::mul(r, r), p, r), S::set1(1.0f));
  return S::mul(e, S::as_float(S::template shift_left_32<23>(S::add(n, S::set1(int32_t{127})))));
}

/// x / (1 + e^-y)
template <class S>
inline typename S::F times_sigmoid(typename S::F x, typename S::F y) {
  const typename S::F e = exp<S>(S::sub(S::set1(0.0f), y));
  return S::div(x, S::add(S::set1(1.0f), e));
}

/// 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) (arXiv:1606.08415), where 0.5 (1 + tanh(u)) is the sigmoid of 2u.
struct GeluNew {
  template <class S>
  static typename S::F apply(typename S::F x) {
    const typename S::F inner = S::fma(S::mul(S::mul(x, x), x), S::set1(0.044715f), x);
    return times_sigmoid<S>(x, S::mul(inner, S::set1(1.5957691216057308f)));
  }
};

/// 0.5 x (1 + erf(x / sqrt 2)); erf by Abramowitz and Stegun 7.1.26, absolute error 1.5e-7.
struct Gelu {
  template <class S>
  static typename S::F apply(typename S::F x) {
    using F = typename S::F;
    const F zero = S::set1(0.0f), one = S::set1(1.0f);
    const F z = S::mul(S::max(x, S::sub(zero, x)), S::set1(0.70710678f));
    const F t = S::div(one, S::fma(z, S::set1(0.3275911f), one));
    F p = S::set1(1.061405429f);
    constexpr float kRest[] = {-1.453152027f, 1.421413741f, -0.284496736f, 0.254829592f};
    for (const float c : kRest) p = S::fma(p, t, S::set1(c));
    const F tail = S::mul(S::mul(p, t), exp<S>(S::sub(zero, S::mul(z, z))));  // 1 - erf(|z|)
    // x >= 0: x - x tail / 2; x < 0: x tail / 2
    const F half = S::mul(S::set1(0.5f), S::mul(S::max(x, S::sub(zero, x)), tail));
    return S::sub(S::max(x, zero), half);
  }
};

struct Relu {
  template <class S>
  static typename S::F apply(typename S::F x) {
    return S::max(x, S::set1(0.0f));
  }
};

template <class S, class Function>
void apply_in_place(float* x, int n) noexcept {
  for (int i = 0; i < n; i += S::kLanes) S::store(x + i, Function::template apply<S>(S::load(x + i)));
}

/// Two passes, both from L1: the mean, then the squares around it.
template <class S>
void layer_norm(const float* x, const float* gain, const float* bias, int n, float eps, float* y) noexcept {
  using F = typename S::F;
  const int whole = n / S::kLanes * S::kLanes;
  F sums = S::set1(0.0f);
  for (int i = 0; i < whole; i += S::kLanes) sums = S::add(sums, S::load(x + i));
  float sum = S::reduce_add(sums);
  for (int i = whole; i < n; ++i) sum += x[i];
  const float mean = sum / static_cast<float>(n);

  F squares = S::set1(0.0f);
  for (int i = 0; i < whole; i += S::kLanes) {
    const F d = S::sub(S::load(x + i), S::set1(mean));
    squares = S::fma(d, d, squares);
  }
  float variance = S::reduce_add(squares);
  for (int i = whole; i < n; ++i) variance += (x[i] - mean) * (x[i] - mean);
  const float scale = 1.0f / sqrtf(variance / static_cast<float>(n) + eps);

  for (int i = 0; i < whole; i += S::kLanes) {
    const F normed = S::mul(S::sub(S::load(x + i), S::set1(mean)), S::set1(scale));
    S::store(y + i, S::fma(normed, S::load(gain + i), S::load(bias + i)));
  }
  for (int i = whole; i < n; ++i) y[i] = (x[i] - mean) * scale * gain[i] + bias[i];
}

/// Of 16 numbers: 4 i and 4 i + 1 summed in the lower 16 bits, 4 i + 2 and 4 i + 3 in the upper ones.
template <class S>
inline int32_t pair_sums(const int8_t* q) {
  uint64_t sums = 0;  // four times 16 bits, of numbers that are 128 larger
  for (int i = 0; i < 16; i += 8) {
    uint64_t eight;
    __builtin_memcpy(&eight, q + i, 8);
    eight ^= 0x8080808080808080u;
    sums += (eight & 0x00ff00ff00ff00ffu) + (eight >> 8 & 0x00ff00ff00ff00ffu);
  }
  const uint64_t both = sums + (sums >> 32);
  const auto without = [](uint64_t sum) { return static_cast<uint32_t>(sum - 8 * 128) & 0xffffu; };
  return static_cast<int32_t>(without(both) | without(both >> 16) << 16);
}

/// The sum of two of these.
template <class S>
inline int32_t add_pairs(int32_t a, int32_t b) {
  const auto x = static_cast<uint32_t>(a), y = static_cast<uint32_t>(b);
  return static_cast<int32_t>(((x + y) & 0xffffu) | ((x >> 16) + (y >> 16)) << 16);
}

/// The scale and the sums of a block of quantized values.
template <class S>
inline BlockScale describe_block(const int8_t* q, float d) {
  const int32_t second = pair_sums<S>(q + kQuantBlock / 2);
  const int32_t all = add_pairs<S>(pair_sums<S>(q), second);
  return {d, d * static_cast<float>((all >> 16) + static_cast<int16_t>(all)), {all, second}};
}

/// n values, a multiple of 16, in 8 bits: the largest magnitude becomes 127. Calls put(i, numbers) for as many at a time
/// as a register holds; returns the scale.
template <class S, class Put>
inline float quantize_values(const float* x, int n, const Put& put) {
  using F = typename S::F;
  F top = S::set1(0.0f);
  for (int i = 0; i < n; i += S::kLanes) {
    const F value = S::load(x + i);
    top = S::max(top, S::max(value, S::sub(S::set1(0.0f), value)));
  }
  const float largest = S::reduce_max(top);
  const float inverse = largest > 0.0f ? 127.0f / largest : 0.0f;
  for (int i = 0; i < n; i += S::kLanes) put(i, S::to_int(S::mul(S::load(x + i), S::set1(inverse))));
  return largest / 127.0f;
}

template <class S>
inline float quantize_values(const float* x, int n, int8_t* q) {
  return quantize_values<S>(x, n, [=](int i, typename S::I numbers) { S::store_int8(q + i, numbers); });
}

template <class S>
void pack_blocks(const float* x, int n, int row, uint8_t* operand) noexcept {
  uint8_t* to = operand + row * operand_stride(Operand::blocks, n);
  auto* q = reinterpret_cast<int8_t*>(to);
  auto* scales = reinterpret_cast<BlockScale*>(to + operand_numbers(Operand::blocks, n));
  for (int b = 0; b < n / kQuantBlock; ++b, q += kQuantBlock) {
    scales[b] = describe_block<S>(q, quantize_values<S>(x + b * kQuantBlock, kQuantBlock, q));
  }
}

template <class S>
void pack_slabs(const float* x, int n, int row, uint8_t* operand) noexcept {
  using I = typename S::I;
  const int64_t stride = operand_stride(Operand::slabs, n), numbers = operand_numbers(Operand::slabs, n);
  for (int begin = 0; begin < n; begin += kByteSlab) {
    const int length = n - begin < kByteSlab ? n - begin : kByteSlab;
    uint8_t* to = operand + number_offset<S>(stride, row, begin);
    I sums = S::set1(int32_t{0});
    const float d = quantize_values<S>(x + begin, length, [&](int i, I q) {
      S::store_int8(reinterpret_cast<int8_t*>(to + number_offset<S>(0, 0, i)), q);
      sums = S::add(sums, q);
    });
    int32_t each[S::kLanes], sum = 0;
    S::store_bytes(each, sums);
    for (const int32_t one : each) sum += one;
    *reinterpret_cast<SlabScale*>(operand + scale_offset<S>(stride, numbers, row, begin / kByteSlab)) = {
        d, S::kUnsignedDot ? -128 * sum : 0};
  }
}

/// Completed with zeros to 64 bytes, in an operand whose rows have `stride` bytes.
template <class S>
inline void pack_bf16_row(const float* x, int n, int64_t stride, int row, uint8_t* operand) {
  constexpr int kWhole = 32;
  uint8_t* first = operand + number_offset<S>(stride, row, 0);
  const auto to = [=](int i) { return reinterpret_cast<uint16_t*>(first + number_offset<S>(0, 0, 2 * i)); };
  const int whole = n / kWhole * kWhole;
  for (int i = 0; i < whole; i += S::kLanes) S::store_bf16(to(i), S::load(x + i));
  if (whole == n) return;
  float rest[kWhole] = {};
  for (int i = whole; i < n; ++i) rest[i - whole] = x[i];
  for (int i = 0; i < kWhole; i += S::kLanes) S::store_bf16(to(whole + i), S::load(rest + i));
}

template <class S>
void pack_bf16(const float* x, int n, int row, uint8_t* operand) noexcept {
  pack_bf16_row<S>(x, n, operand_stride(Operand::bf16, n), row, operand);
}

template <class S>
void rotate(float* x, const float* cos_sin, int n_rot) noexcept {
  for (int i = 0; i < n_rot; i += 2) {
    const float even = x[i], odd = x[i + 1], cosine = cos_sin[i], sine = cos_sin[i + 1];
    x[i] = even * cosine - odd * sine;
    x[i + 1] = odd * cosine + even * sine;
  }
}

}  // namespace gptj
