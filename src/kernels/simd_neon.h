#pragma once

#include <arm_neon.h>

#include <cstdint>

/// NEON of AArch64: 4 lanes, 32 registers. With the dot product extension (Cortex-A76 2018, Apple M1 2020)
/// four byte products and their sum are one instruction.
namespace gptj::GPTJ_ISA_NAMESPACE {

struct Simd {
  static constexpr int kLanes = 4;
  static constexpr int kColumns = 5;  // 20 accumulators, 4 weights, 1 activation
  static constexpr int kPanels = 2;
  static constexpr int kTilePanels = 1;
  static constexpr int kTileColumns = 5;
  static constexpr int kManyColumns = 12;
  static constexpr int kQuantPanels = 1;
  static constexpr int kQuantColumns = 4;
  static constexpr bool kUnsignedDot = false;
  static constexpr bool kPairSums = false;
  static constexpr bool kBf16Dot = false;
#ifdef GPTJ_DOTPROD
  static constexpr bool kByteDot = true;
#else
  static constexpr bool kByteDot = false;
#endif
  static constexpr int kPackedAtOnce = 1;
  static constexpr int kPackedPanels = 1;  // 20 accumulators, 4 weights, 1 activation
  static constexpr int kPackedColumns = 5;
  using F = float32x4_t;
  using I = int32x4_t;

  static F set1(float x) {
    return vdupq_n_f32(x);
  }
  static F load(const float* p) {
    return vld1q_f32(p);
  }
  static void store(float* p, F x) {
    vst1q_f32(p, x);
  }
  static F load_f16(const uint16_t* p) {
    return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p)));
  }
  static void store_f16(uint16_t* p, F x) {
    vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(x)));
  }
  static F load_int8(const int8_t* p) {
    uint32_t four;
    __builtin_memcpy(&four, p, 4);  // as a lane to duplicate, gcc 12 loads them and then does so
    return vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(vcreate_s8(four)))));
  }

  static F add(F a, F b) {
    return vaddq_f32(a, b);
  }
  static F sub(F a, F b) {
    return vsubq_f32(a, b);
  }
  static F mul(F a, F b) {
    return vmulq_f32(a, b);
  }
  static F div(F a, F b) {
    return vdivq_f32(a, b);
  }
  static F max(F a, F b) {
    return vmaxq_f32(a, b);
  }
  static F min(F a, F b) {
    return vminq_f32(a, b);
  }
  static F fma(F a, F b, F c) {
    return vfmaq_f32(c, a, b);
  }
  static float reduce_add(F x) {
    return vaddvq_f32(x);
  }
  static float reduce_max(F x) {
    return vmaxvq_f32(x);
  }

  static F as_float(I x) {
    return vreinterpretq_f32_s32(x);
  }
  static I as_int(F x) {
    return vreinterpretq_s32_f32(x);
  }
  static F to_float(I x) {
    return vcvtq_f32_s32(x);
  }
  static I to_int(F x) {
    return vcvtnq_s32_f32(x);
  }

  static I set1(int32_t x) {
    return vdupq_n_s32(x);
  }
  static I set1_bytes(int x) {
    return vreinterpretq_s32_s8(vdupq_n_s8(static_cast<int8_t>(x)));
  }
  static I load_bytes(const void* p) {
    return vreinterpretq_s32_u8(vld1q_u8(static_cast<const uint8_t*>(p)));
  }
  static void store_bytes(void* p, I x) {
    vst1q_s32(static_cast<int32_t*>(p), x);
  }
  static I lookup(const uint8_t (&table)[16], I x) {
    return vreinterpretq_s32_u8(vqtbl1q_u8(vld1q_u8(table), vreinterpretq_u8_s32(x)));
  }
  static I add(I a, I b) {
    return vaddq_s32(a, b);
  }
  static I bit_and(I a, I b) {
    return vandq_s32(a, b);
  }
  static I bit_or(I a, I b) {
    return vorrq_s32(a, b);
  }
  static I bit_xor(I a, I b) {
    return veorq_s32(a, b);
  }
  template <int n>
  static I shift_left_32(I x) {
    return vshlq_n_s32(x, n);
  }
  template <int n>
  static I shift_right_signed_32(I x) {
    return vshrq_n_s32(x, n);
  }
  static I shift_left_16(I x, int n) {
    return vreinterpretq_s32_u16(vshlq_u16(vreinterpretq_u16_s32(x), vdupq_n_s16(static_cast<int16_t>(n))));
  }
  static I shift_right_16(I x, int n) {
    return shift_left_16(x, -n);
  }

  static I set1_16(int x) {
    return vreinterpretq_s32_s16(vdupq_n_s16(static_cast<int16_t>(x)));
  }
  static I add_16(I a, I b) {
    return vreinterpretq_s32_s16(vaddq_s16(vreinterpretq_s16_s32(a), vreinterpretq_s16_s32(b)));
  }
  static I shift_right_signed_16(I x, int n) {
    return vreinterpretq_s32_s16(vshlq_s16(vreinterpretq_s16_s32(x), vdupq_n_s16(static_cast<int16_t>(-n))));
  }
  static I mul_high_16(I a, I b) {
    return vreinterpretq_s32_s16(vqrdmulhq_s16(vreinterpretq_s16_s32(a), vreinterpretq_s16_s32(b)));
  }
  static I dot_16(I a, I b) {
    const int16x8_t x = vreinterpretq_s16_s32(a), y = vreinterpretq_s16_s32(b);
    return vpaddq_s32(vmull_s16(vget_low_s16(x), vget_low_s16(y)), vmull_high_s16(x, y));
  }
  static I dot_signed(I acc, I w, I x) {
    const int8x16_t a = vreinterpretq_s8_s32(w), b = vreinterpretq_s8_s32(x);
#ifdef GPTJ_DOTPROD
    return vdotq_s32(acc, a, b);
#else  // two products fit 16 bits: activations are at least -127
    return vpadalq_s16(acc, vpaddq_s16(vmull_s8(vget_low_s8(a), vget_low_s8(b)), vmull_high_s8(a, b)));
#endif
  }
  static I dot_unsigned(I acc, I w, I x) {  // weights are at most 63: their sign bit is clear
    return dot_signed(acc, w, x);
  }
  static void store_int8(int8_t* p, I x) {
    const int16x4_t words = vqmovn_s32(x);
    const int8x8_t bytes = vqmovn_s16(vcombine_s16(words, words));
    vst1_lane_s32(reinterpret_cast<int32_t*>(p), vreinterpret_s32_s8(bytes), 0);
  }
};

}  // namespace gptj::GPTJ_ISA_NAMESPACE
