#pragma once

#include <math.h>
#include <string.h>

#include <cstdint>

/// The plain reference: one lane. Products and sums are rounded separately, as every CPU can.
namespace gptj::scalar {

struct Simd {
  static constexpr int kLanes = 1;
  // What a tile of a product spans:
  static constexpr int kColumns = 2;      // columns, with one panel, where there are many columns
  static constexpr int kPanels = 1;       // panels, where there is one column
  static constexpr int kTilePanels = 1;   // panels and
  static constexpr int kTileColumns = 2;  // columns, where these are few: weights come from memory
  static constexpr int kQuantPanels = 1;  // the same with activations in 8 bits
  static constexpr int kQuantColumns = 2;
  static constexpr int kManyColumns = 12;  // columns from which on it pays to unpack weights once

  static constexpr bool kUnsignedDot = false;  // 8-bit dot products want unsigned weights
  static constexpr bool kPairSums = false;     // there are some with sums of pairs in 16 bits
  // They are one instruction: with kPackedAtOnce, panels that are packed together, and kPackedPanels and
  // kPackedColumns, what a tile of a product spans then; with Tiles, kPackedColumns is what these take at a time.
  static constexpr bool kByteDot = false;
  static constexpr bool kBf16Dot = false;  // dot products of BF16 numbers are one, with the same
  using F = float;
  using I = int32_t;

  static F set1(float x) { return x; }
  static F load(const float* p) { return *p; }
  static void store(float* p, F x) { *p = x; }
  static F load_f16(const uint16_t* p) {
    const uint32_t sign = static_cast<uint32_t>(*p & 0x8000) << 16;
    const uint32_t magnitude = static_cast<uint32_t>(*p & 0x7fff) << 13;
    if ((*p & 0x7c00) == 0x7c00) return as_float(static_cast<I>(sign | 0x7f800000 | magnitude));
    const float scaled = as_float(static_cast<I>(magnitude)) * 0x1p112f;  // subnormals become normal
    return as_float(as_int(scaled) | static_cast<I>(sign));
  }
  static void store_f16(uint16_t* p, F x);
  static F load_int8(const int8_t* p) { return static_cast<F>(*p); }

  static F add(F a, F b) { return a + b; }
  static F sub(F a, F b) { return a - b; }
  static F mul(F a, F b) { return a * b; }
  static F div(F a, F b) { return a / b; }
  static F max(F a, F b) { return a > b ? a : b; }
  static F min(F a, F b) { return a < b ? a : b; }
  static F fma(F a, F b, F c) { return a * b + c; }
  static float reduce_add(F x) { return x; }
  static float reduce_max(F x) { return x; }

  static F as_float(I x) {
    F f;
    memcpy(&f, &x, 4);
    return f;
  }
  static I as_int(F x) {
    I i;
    memcpy(&i, &x, 4);
    return i;
  }
  static F to_float(I x) { return static_cast<float>(x); }
  static I to_int(F x) { return static_cast<I>(lrintf(x)); }  // to nearest, ties to even

  static I set1(int32_t x) { return x; }
  static I set1_bytes(int x) { return x * 0x01010101; }
  static I load_bytes(const void* p) {
    I x;
    memcpy(&x, p, 4);
    return x;
  }
  static void store_bytes(void* p, I x) { memcpy(p, &x, 4); }
  /// Byte i of the result is table[byte i of x]; those are below 16.
  static I lookup(const uint8_t (&table)[16], I x) {
    uint32_t out = 0;
    for (int i = 0; i < 4; ++i) out |= static_cast<uint32_t>(table[byte(x, i)]) << (8 * i);
    return static_cast<I>(out);
  }
  static I add(I a, I b) { return a + b; }
  static I bit_and(I a, I b) { return a & b; }
  static I bit_or(I a, I b) { return a | b; }
  static I bit_xor(I a, I b) { return a ^ b; }
  template <int n>
  static I shift_left_32(I x) {
    return static_cast<I>(static_cast<uint32_t>(x) << n);
  }
  template <int n>
  static I shift_right_signed_32(I x) {
    return x >> n;
  }
  // In each 16-bit half.
  static I shift_left_16(I x, int n) {
    const auto bits = static_cast<uint32_t>(x);
    return static_cast<I>((bits >> 16 << (16 + n)) | (bits << n & 0xffffu));
  }
  static I shift_right_16(I x, int n) {
    const auto bits = static_cast<uint32_t>(x);
    return static_cast<I>((bits >> 16 >> n << 16) | ((bits & 0xffffu) >> n));
  }

  /// Both 16-bit halves; the products of a lane's halves, added.
  static I set1_16(int x) {
    return static_cast<I>((static_cast<uint32_t>(x) & 0xffffu) | static_cast<uint32_t>(x) << 16);
  }
  static I dot_16(I a, I b) {
    return (a >> 16) * (b >> 16) + static_cast<int16_t>(a) * static_cast<int16_t>(b);
  }

  /// acc + the products of the lane's 4 bytes, those of `w` unsigned (at most 63) or signed, of `x` signed.
  static I dot_unsigned(I acc, I w, I x) {
    for (int i = 0; i < 4; ++i) acc += byte(w, i) * byte(x, i);
    return acc;
  }
  static I dot_signed(I acc, I w, I x) { return dot_unsigned(acc, w, x); }
  static void store_int8(int8_t* p, I x) { *p = static_cast<int8_t>(x); }

 private:
  static int byte(I x, int i) { return static_cast<int8_t>(static_cast<uint32_t>(x) >> (8 * i)); }
};

inline void Simd::store_f16(uint16_t* p, F x) {
  const auto bits = static_cast<uint32_t>(as_int(x));
  const uint32_t sign = (bits >> 16) & 0x8000, magnitude = bits & 0x7fffffff;
  uint32_t half;
  if (magnitude > 0x7f800000) {
    half = 0x7e00;
  } else if (magnitude >= 0x477ff000) {  // 65520 and more round to infinity
    half = 0x7c00;
  } else if (magnitude < 0x38800000) {  // subnormal: adding 0.5 leaves multiples of 2^-24, rounded by the sum
    half = static_cast<uint32_t>(as_int(as_float(static_cast<I>(magnitude)) + 0.5f)) - 0x3f000000;
  } else {
    half = (magnitude - 0x38000000 + 0xfff + ((magnitude >> 13) & 1)) >> 13;
  }
  *p = static_cast<uint16_t>(sign | half);
}

}  // namespace gptj::scalar
