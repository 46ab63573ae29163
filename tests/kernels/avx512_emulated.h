#pragma once

// AVX-512 for machines without it: SIMDe (Debian's libsimde-dev) computes the instructions with smaller ones.
// What its version 0.7 lacks of those that simd_avx512.h uses is made from halves here.

#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>
#include <simde/x86/f16c.h>
#include <simde/x86/fma.h>

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

}  // namespace gptj::emulation

#undef _mm512_madd_epi16  // 0.7 gives it the arguments of the masked form
#define _mm512_madd_epi16 simde_mm512_madd_epi16
#define _mm512_cvtph_ps ::gptj::emulation::cvtph_ps
#define _mm512_cvtps_ph(x, rounding) ::gptj::emulation::cvtps_ph(x)
#define _mm512_cvtepi32_ps ::gptj::emulation::cvtepi32_ps
#define _mm512_cvtps_epi32 ::gptj::emulation::cvtps_epi32
#define _mm512_cvtepi8_epi32 ::gptj::emulation::cvtepi8_epi32
#define _mm512_srai_epi32 ::gptj::emulation::srai_epi32
#define _mm512_reduce_add_ps ::gptj::emulation::reduce_add_ps
#define _mm512_reduce_max_ps ::gptj::emulation::reduce_max_ps
