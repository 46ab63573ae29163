#pragma once

#ifdef GPTJ_INTRINSICS  // tests on CPUs without AVX-512 emulate its instructions
#include GPTJ_INTRINSICS
#else
#include <immintrin.h>
#endif

#include <cstdint>

#if defined(GPTJ_AMX) && !defined(GPTJ_INTRINSICS)
#include "kernels/amx_tiles.h"
#endif

/// AVX-512 F, BW, DQ, VL (Skylake-SP 2017): 16 lanes, 32 registers; a panel's row of 16 is one register.
/// With VNNI (Cascade Lake 2019, Zen 4 2022) four byte products and their sum are one instruction, with BF16 (Cooper
/// Lake 2020, Zen 4) two of such numbers; with AMX there are tiles.
namespace gptj::GPTJ_ISA_NAMESPACE {

struct Simd {
  static constexpr int kLanes = 16;
  static constexpr int kColumns = 14;
  static constexpr int kPanels = 4;
  static constexpr int kTilePanels = 4;  // 24 accumulators, 4 weights, 1 activation
  static constexpr int kTileColumns = 6;
  static constexpr int kManyColumns = 48;  // tiles hide what it costs to unpack
  // 16 sums of products, 2 weights, 1 activation; the sums of a slab wait in L1.
  static constexpr int kQuantPanels = 2;
  static constexpr int kQuantColumns = 8;
  using F = __m512;
  using I = __m512i;

  static F set1(float x) { return _mm512_set1_ps(x); }
  static F load(const float* p) { return _mm512_loadu_ps(p); }
  static void store(float* p, F x) { _mm512_storeu_ps(p, x); }
  static F load_f16(const uint16_t* p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  static void store_f16(uint16_t* p, F x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
  }
  static F load_int8(const int8_t* p) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
  }

  static F add(F a, F b) { return _mm512_add_ps(a, b); }
  static F sub(F a, F b) { return _mm512_sub_ps(a, b); }
  static F mul(F a, F b) { return _mm512_mul_ps(a, b); }
  static F div(F a, F b) { return _mm512_div_ps(a, b); }
  static F max(F a, F b) { return _mm512_max_ps(a, b); }
  static F min(F a, F b) { return _mm512_min_ps(a, b); }
  static F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
  static float reduce_add(F x) { return _mm512_reduce_add_ps(x); }
  static float reduce_max(F x) { return _mm512_reduce_max_ps(x); }

  static F as_float(I x) { return _mm512_castsi512_ps(x); }
  static I as_int(F x) { return _mm512_castps_si512(x); }
  static F to_float(I x) { return _mm512_cvtepi32_ps(x); }
  static I to_int(F x) { return _mm512_cvtps_epi32(x); }

  static I set1(int32_t x) { return _mm512_set1_epi32(x); }
  static I set1_bytes(int x) { return _mm512_set1_epi8(static_cast<char>(x)); }
  static I load_bytes(const void* p) { return _mm512_loadu_si512(p); }
  static void store_bytes(void* p, I x) { _mm512_storeu_si512(p, x); }
  static I lookup(const uint8_t (&table)[16], I x) {
    const __m128i levels = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table));
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(levels), x);
  }
  static I add(I a, I b) { return _mm512_add_epi32(a, b); }
  static I bit_and(I a, I b) { return _mm512_and_si512(a, b); }
  static I bit_or(I a, I b) { return _mm512_or_si512(a, b); }
  static I bit_xor(I a, I b) { return _mm512_xor_si512(a, b); }
  template <int n>
  static I shift_left_32(I x) {
    return _mm512_slli_epi32(x, n);
  }
  template <int n>
  static I shift_right_signed_32(I x) {
    return _mm512_srai_epi32(x, n);
  }
  static I shift_left_16(I x, int n) { return _mm512_slli_epi16(x, static_cast<unsigned>(n)); }
  static I shift_right_16(I x, int n) { return _mm512_srli_epi16(x, static_cast<unsigned>(n)); }

  static I set1_16(int x) { return _mm512_set1_epi16(static_cast<int16_t>(x)); }
  static I add_16(I a, I b) { return _mm512_add_epi16(a, b); }
  static I shift_right_signed_16(I x, int n) { return _mm512_srai_epi16(x, static_cast<unsigned>(n)); }
  static I mul_high_16(I a, I b) { return _mm512_mulhrs_epi16(a, b); }
  static I dot_16(I a, I b) { return _mm512_madd_epi16(a, b); }
#ifdef GPTJ_VNNI
  static constexpr bool kByteDot = true;
  static constexpr bool kPairSums = false;
  // The instruction multiplies unsigned by signed bytes: signed weights are given plus 128.
  static constexpr bool kUnsignedDot = true;
  static I dot_unsigned(I acc, I w, I x) {
#ifdef GPTJ_INTRINSICS
    return _mm512_dpbusd_epi32(acc, w, x);
#else  // with the intrinsic, gcc 12 copies each sum to and from memory: its type is not that of the registers
    asm("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(w), "v"(x));
    return acc;
#endif
  }
#else
  static constexpr bool kByteDot = false;
  static constexpr bool kPairSums = true;
  static constexpr bool kUnsignedDot = false;
  static I sub_16(I a, I b) {
    return _mm512_sub_epi16(a, b);
  }
  static I mul_16(I a, I b) {
    return _mm512_mullo_epi16(a, b);
  }
  static I add_pairs(I acc, I w, I x) {
    return _mm512_add_epi16(acc, _mm512_maddubs_epi16(w, x));
  }
  static I dot_unsigned(I acc, I w, I x) {
    return add(acc, dot_16(_mm512_maddubs_epi16(w, x), set1_16(1)));
  }
  static I dot_signed(I acc, I w, I x) {
    const I negated = _mm512_mask_sub_epi8(x, _mm512_movepi8_mask(w), _mm512_setzero_si512(), x);
    return dot_unsigned(acc, _mm512_abs_epi8(w), negated);
  }
#endif
  static void store_int8(int8_t* p, I x) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtsepi32_epi8(x));
  }

#ifdef GPTJ_BF16
  static constexpr bool kBf16Dot = true;
  static I pack_bf16(F low, F high) {  // the instruction puts them one after the other
    alignas(64) static constexpr uint16_t kOrder[32] = {0,  16, 1,  17, 2,  18, 3,  19, 4,  20, 5,
                                                        21, 6,  22, 7,  23, 8,  24, 9,  25, 10, 26,
                                                        11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
    const I both = reinterpret_cast<I>(_mm512_cvtne2ps_pbh(high, low));
    return _mm512_permutexvar_epi16(_mm512_load_si512(kOrder), both);
  }
  static void store_bf16(uint16_t* p, F x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(x)));
  }
  static F dot_bf16(F acc, I w, I x) {
    return _mm512_dpbf16_ps(acc, reinterpret_cast<__m512bh>(w), reinterpret_cast<__m512bh>(x));
  }
#else
  static constexpr bool kBf16Dot = false;
#endif

#ifdef GPTJ_AMX
  using Tiles = AmxTiles;
  static constexpr int kPackedColumns = 2 * Tiles::kRows;  // two tiles of columns
#else
  static constexpr int kPackedAtOnce = 4;
  static constexpr int kPackedPanels = 4;  // 24 accumulators, 4 weights, 1 activation
  static constexpr int kPackedColumns = 6;
#endif
};

}  // namespace gptj::GPTJ_ISA_NAMESPACE
