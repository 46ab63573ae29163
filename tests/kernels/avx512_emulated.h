#pragma once

// AVX-512 for machines without it: SIMDe (Debian's libsimde-dev) computes the instructions with smaller ones.
// What its version 0.7 lacks of those that simd_avx512.h uses is made from halves here.

#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>
#include <simde/x86/f16c.h>
#include <simde/x86/fma.h>

#ifdef GPTJ_AMX
#include "kernels/emulated_tiles.h"
#endif

namespace gptj::emulation {

template <class Function>
simde__m512i from_halves(const Function& half) {
  simde__m512i_private out;
  out.m256i[0] = half(0);
  out.m256i[1] = half(1);
  return simde__m512i_from_private(out);
}

inline simde__m512 cvtph_ps(__m256i x) {
  simde__m512_private out;
  out.m256[0] = _mm256_cvtph_ps(_mm256_castsi256_si128(x));
  out.m256[1] = _mm256_cvtph_ps(_mm256_extracti128_si256(x, 1));
  return simde__m512_from_private(out);
}

inline __m256i cvtps_ph(simde__m512 x) {
  const simde__m512_private in = simde__m512_to_private(x);
  return _mm256_set_m128i(_mm256_cvtps_ph(in.m256[1], 0), _mm256_cvtps_ph(in.m256[0], 0));
}

inline simde__m512 cvtepi32_ps(simde__m512i x) {
  const simde__m512i_private in = simde__m512i_to_private(x);
  simde__m512_private out;
  for (int i = 0; i < 2; ++i) out.m256[i] = _mm256_cvtepi32_ps(in.m256i[i]);
  return simde__m512_from_private(out);
}

inline simde__m512i cvtps_epi32(simde__m512 x) {
  const simde__m512_private in = simde__m512_to_private(x);
  return from_halves([&](int i) { return _mm256_cvtps_epi32(in.m256[i]); });
}

inline simde__m512i cvtepi8_epi32(__m128i x) {
  return from_halves([&](int i) { return _mm256_cvtepi8_epi32(i == 0 ? x : _mm_srli_si128(x, 8)); });
}

inline simde__m512i srai_epi32(simde__m512i x, int n) {
  const simde__m512i_private in = simde__m512i_to_private(x);
  return from_halves([&](int i) { return _mm256_srai_epi32(in.m256i[i], n); });
}

/// 0.7 wants a constant for `n`, to which clang holds it.
inline simde__m512i srli_epi16(simde__m512i x, unsigned n) {
  const simde__m512i_private in = simde__m512i_to_private(x);
  return from_halves([&](int i) { return _mm256_srli_epi16(in.m256i[i], static_cast<int>(n)); });
}

template <class Function>
float reduce(simde__m512 x, const Function& combine) {
  const simde__m512_private in = simde__m512_to_private(x);
  float result = in.f32[0];
  for (int i = 1; i < 16; ++i) result = combine(result, in.f32[i]);
  return result;
}

inline float reduce_add_ps(simde__m512 x) {
  return reduce(x, [](float a, float b) { return a + b; });
}

inline float reduce_max_ps(simde__m512 x) {
  return reduce(x, [](float a, float b) { return a > b ? a : b; });
}

/// Instructions for BF16 take subnormal numbers as zeros of their sign, and give none.
inline __m256 flushed(__m256 x) {
  const __m256i exponent = _mm256_and_si256(_mm256_castps_si256(x), _mm256_set1_epi32(0x7f800000));
  const __m256i subnormal = _mm256_cmpeq_epi32(exponent, _mm256_setzero_si256());
  return _mm256_andnot_ps(_mm256_castsi256_ps(_mm256_srli_epi32(subnormal, 1)), x);
}

/// To nearest, ties to even; a NaN stays one. In the low half of each lane.
inline __m256i rounded_to_bf16(__m256 x) {
  const __m256i bits = _mm256_castps_si256(flushed(x));
  const __m256i upper = _mm256_srli_epi32(bits, 16);
  const __m256i odd = _mm256_and_si256(upper, _mm256_set1_epi32(1));
  const __m256i sum = _mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7fff)), odd);
  const __m256i quiet = _mm256_or_si256(upper, _mm256_set1_epi32(0x40));
  const __m256i is_nan = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
  return _mm256_blendv_epi8(_mm256_srli_epi32(sum, 16), quiet, is_nan);
}

inline __m256i cvtneps_pbh(simde__m512 x) {
  const simde__m512_private in = simde__m512_to_private(x);
  const __m256i mixed = _mm256_packus_epi32(rounded_to_bf16(in.m256[0]), rounded_to_bf16(in.m256[1]));
  return _mm256_permute4x64_epi64(mixed, 0xd8);
}

inline simde__m512i cvtne2ps_pbh(simde__m512 high, simde__m512 low) {
  return from_halves([&](int i) { return cvtneps_pbh(i == 0 ? low : high); });
}

/// The products of odd numbers are added first. Products are exact in F32, so only sums are rounded.
inline simde__m512 dpbf16_ps(simde__m512 sums, simde__m512bh w, simde__m512bh x) {
  simde__m512_private out = simde__m512_to_private(sums);
  const simde__m512i_private a = simde__m512i_to_private(reinterpret_cast<simde__m512i>(w));
  const simde__m512i_private b = simde__m512i_to_private(reinterpret_cast<simde__m512i>(x));
  const __m256i odd = _mm256_set1_epi32(static_cast<int>(0xffff0000u));
  for (int i = 0; i < 2; ++i) {
    const auto add = [&](__m256i p, __m256i q) {
      const __m256 factor = flushed(_mm256_castsi256_ps(p)), other = flushed(_mm256_castsi256_ps(q));
      out.m256[i] = flushed(_mm256_fmadd_ps(factor, other, flushed(out.m256[i])));
    };
    add(_mm256_and_si256(a.m256i[i], odd), _mm256_and_si256(b.m256i[i], odd));
    add(_mm256_slli_epi32(a.m256i[i], 16), _mm256_slli_epi32(b.m256i[i], 16));
  }
  return simde__m512_from_private(out);
}

}  // namespace gptj::emulation

#undef _mm512_madd_epi16  // 0.7 gives it the arguments of the masked form
#define _mm512_madd_epi16 simde_mm512_madd_epi16
#define _mm512_cvtph_ps ::gptj::emulation::cvtph_ps
#define _mm512_cvtps_ph(x, rounding) ::gptj::emulation::cvtps_ph(x)
#define _mm512_cvtepi32_ps ::gptj::emulation::cvtepi32_ps
#define _mm512_cvtps_epi32 ::gptj::emulation::cvtps_epi32
#define _mm512_cvtepi8_epi32 ::gptj::emulation::cvtepi8_epi32
#define _mm512_srai_epi32 ::gptj::emulation::srai_epi32
#undef _mm512_srli_epi16
#define _mm512_srli_epi16 ::gptj::emulation::srli_epi16
#define _mm512_reduce_add_ps ::gptj::emulation::reduce_add_ps
#define _mm512_reduce_max_ps ::gptj::emulation::reduce_max_ps
#define _mm512_cvtneps_pbh ::gptj::emulation::cvtneps_pbh
#define _mm512_cvtne2ps_pbh ::gptj::emulation::cvtne2ps_pbh
#undef _mm512_dpbf16_ps  // 0.7 adds the even products first and keeps subnormal numbers
#define _mm512_dpbf16_ps ::gptj::emulation::dpbf16_ps
