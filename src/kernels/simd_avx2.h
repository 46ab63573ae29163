#pragma once

#include <immintrin.h>

#include <cstdint>

/// AVX2 with FMA and F16C (Haswell 2013, Zen 2017): 8 lanes, 16 registers. With AVX-VNNI (Alder Lake 2021, Zen 5 2024)
/// four byte products and their sum are one instruction, also where there is no AVX-512.
namespace gptj::GPTJ_ISA_NAMESPACE {

struct Simd {
  static constexpr int kLanes = 8;
  static constexpr int kColumns = 6;  // 12 accumulators, 2 weights, 1 activation
  static constexpr int kPanels = 4;
  static constexpr int kTilePanels = 1;
  static constexpr int kTileColumns = 6;
  static constexpr int kManyColumns = 12;
  static constexpr int kQuantPanels = 1;
  static constexpr int kQuantColumns = 4;
  static constexpr int kPackedAtOnce = 4;
  static constexpr int kPackedPanels = 1;  // 12 accumulators, 2 weights, 1 activation
  static constexpr int kPackedColumns = 6;
  static constexpr bool kBf16Dot = false;
  using F = __m256;
  using I = __m256i;

  static F set1(float x) { return _mm256_set1_ps(x); }
  static F load(const float* p) { return _mm256_loadu_ps(p); }
  static void store(float* p, F x) { _mm256_storeu_ps(p, x); }
  static F load_f16(const uint16_t* p) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static void store_f16(uint16_t* p, F x) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
  }
  static F load_int8(const int8_t* p) {
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
  }

  static F add(F a, F b) { return _mm256_add_ps(a, b); }
  static F sub(F a, F b) { return _mm256_sub_ps(a, b); }
  static F mul(F a, F b) { return _mm256_mul_ps(a, b); }
  static F div(F a, F b) { return _mm256_div_ps(a, b); }
  static F max(F a, F b) { return _mm256_max_ps(a, b); }
  static F min(F a, F b) { return _mm256_min_ps(a, b); }
  static F fma(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
  static float reduce_add(F x) {
    __m128 sum = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
    return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
  }
  static float reduce_max(F x) {
    __m128 top = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    top = _mm_max_ps(top, _mm_movehl_ps(top, top));
    return _mm_cvtss_f32(_mm_max_ss(top, _mm_movehdup_ps(top)));
  }

  static F as_float(I x) { return _mm256_castsi256_ps(x); }
  static I as_int(F x) { return _mm256_castps_si256(x); }
  static F to_float(I x) { return _mm256_cvtepi32_ps(x); }
  static I to_int(F x) { return _mm256_cvtps_epi32(x); }

  static I set1(int32_t x) { return _mm256_set1_epi32(x); }
  static I set1_bytes(int x) { return _mm256_set1_epi8(static_cast<char>(x)); }
  static I load_bytes(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
  static void store_bytes(void* p, I x) { _mm256_storeu_si256(static_cast<__m256i*>(p), x); }
  /// Byte i of the result is table[byte i of x]; those are below 16.
  static I lookup(const uint8_t (&table)[16], I x) {
    const __m128i levels = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table));
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(levels), x);
  }
  static I add(I a, I b) { return _mm256_add_epi32(a, b); }
  static I bit_and(I a, I b) { return _mm256_and_si256(a, b); }
  static I bit_or(I a, I b) { return _mm256_or_si256(a, b); }
  static I bit_xor(I a, I b) { return _mm256_xor_si256(a, b); }
  template <int n>
  static I shift_left_32(I x) {
    return _mm256_slli_epi32(x, n);
  }
  template <int n>
  static I shift_right_signed_32(I x) {
    return _mm256_srai_epi32(x, n);
  }
  static I shift_left_16(I x, int n) { return _mm256_slli_epi16(x, n); }
  static I shift_right_16(I x, int n) { return _mm256_srli_epi16(x, n); }

  static I set1_16(int x) { return _mm256_set1_epi16(static_cast<int16_t>(x)); }
  static I add_16(I a, I b) { return _mm256_add_epi16(a, b); }
  static I shift_right_signed_16(I x, int n) { return _mm256_srai_epi16(x, n); }
  static I mul_high_16(I a, I b) { return _mm256_mulhrs_epi16(a, b); }
  static I dot_16(I a, I b) { return _mm256_madd_epi16(a, b); }
#ifdef GPTJ_VNNI
  static constexpr bool kByteDot = true;
  static constexpr bool kPairSums = false;
  // The instruction multiplies unsigned by signed bytes: signed weights are given plus 128.
  static constexpr bool kUnsignedDot = true;
  static I dot_unsigned(I acc, I w, I x) {
#ifdef GPTJ_INTRINSICS  // tests on CPUs without the instruction
    const I even = dot_16(bit_and(w, set1_16(0xff)), shift_right_signed_16(shift_left_16(x, 8), 8));
    return add(acc, add(even, dot_16(shift_right_16(w, 8), shift_right_signed_16(x, 8))));
#else  // as in simd_avx512.h; without AVX-512 the instruction has an encoding of its own
    asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(acc) : "x"(w), "x"(x));
    return acc;
#endif
  }
#else
  static constexpr bool kByteDot = false;
  static constexpr bool kPairSums = true;
  static constexpr bool kUnsignedDot = false;
  static I sub_16(I a, I b) {
    return _mm256_sub_epi16(a, b);
  }
  static I mul_16(I a, I b) {
    return _mm256_mullo_epi16(a, b);
  }
  static I add_pairs(I acc, I w, I x) {
    return _mm256_add_epi16(acc, _mm256_maddubs_epi16(w, x));
  }
  static I dot_unsigned(I acc, I w, I x) {
    return add(acc, dot_16(_mm256_maddubs_epi16(w, x), set1_16(1)));
  }
  /// |w| * (x with w's sign): pairs reach 2 * 128 * 127, which 16 bits hold.
  static I dot_signed(I acc, I w, I x) {
    return dot_unsigned(acc, _mm256_abs_epi8(w), _mm256_sign_epi8(x, w));
  }
#endif
  static void store_int8(int8_t* p, I x) {
    const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packs_epi16(words, words));
  }
};

}  // namespace gptj::GPTJ_ISA_NAMESPACE
