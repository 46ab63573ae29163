#pragma once

#include <cstdint>
#include <cstring>

#include "base/half.h"

/// AMX's tiles in plain C++, for machines without them; the same functions as in kernels/amx_tiles.h.
namespace gptj::GPTJ_ISA_NAMESPACE {

struct AmxTiles {
  static constexpr int kRows = 16, kRowBytes = 64;

  static void open(int first, int second) {
    state = {};
    for (int tile = 0; tile < 8; ++tile) state.rows[tile] = kRows;
    for (const int tile : {0, 1, 4}) state.rows[tile] = first;
    for (const int tile : {2, 3, 5}) state.rows[tile] = second;
  }
  static void close() { state = {}; }

  template <int tile>
  static void zero() {
    std::memset(state.bytes[tile], 0, sizeof state.bytes[tile]);
  }
  template <int tile>
  static void load(const void* from, int64_t stride) {
    zero<tile>();
    for (int row = 0; row < state.rows[tile]; ++row) {
      std::memcpy(state.bytes[tile][row], static_cast<const uint8_t*>(from) + row * stride, kRowBytes);
    }
  }
  template <int tile>
  static void load_once(const void* from, int64_t stride) {
    load<tile>(from, stride);
  }
  template <int tile>
  static void store(void* to, int64_t stride) {
    for (int row = 0; row < state.rows[tile]; ++row) {
      std::memcpy(static_cast<uint8_t*>(to) + row * stride, state.bytes[tile][row], kRowBytes);
    }
  }

  template <int sum, int x, int w>
  static void dot_bytes() {
    each_sum<sum, x, int32_t>([](int32_t total, int row, int column) {
      for (int i = 0; i < kRowBytes; ++i) {
        const auto value = static_cast<int8_t>(state.bytes[x][row][i]);
        total += value * state.bytes[w][i / 4][4 * column + i % 4];
      }
      return total;
    });
  }

  /// Even and odd products have a chain each. Products are exact in F32; what is subnormal is zero.
  template <int sum, int x, int w>
  static void dot_bf16() {
    each_sum<sum, x, float>([](float total, int row, int column) {
      float chains[2] = {};
      for (int i = 0; i < kRowBytes / 2; ++i) {
        float& chain = chains[i % 2];
        chain = flushed(chain + number<x>(row, i) * number<w>(i / 2, 2 * column + i % 2));
      }
      return flushed(flushed(total) + flushed(chains[0] + chains[1]));
    });
  }

 private:
  template <int sum, int x, class Number, class Add>
  static void each_sum(const Add& add) {
    for (int row = 0; row < state.rows[x]; ++row) {
      for (int column = 0; column < kRows; ++column) {
        Number total;
        std::memcpy(&total, &state.bytes[sum][row][4 * column], sizeof total);
        total = add(total, row, column);
        std::memcpy(&state.bytes[sum][row][4 * column], &total, sizeof total);
      }
    }
  }

  template <int tile>
  static float number(int row, int i) {
    uint16_t half;
    std::memcpy(&half, &state.bytes[tile][row][2 * i], sizeof half);
    return flushed(bf16_to_f32(half));
  }
  static float flushed(float x) { return x > -0x1p-126f && x < 0x1p-126f ? x * 0.0f : x; }

  static inline thread_local struct {
    int rows[8];
    uint8_t bytes[8][kRows][kRowBytes];
  } state;
};

}  // namespace gptj::GPTJ_ISA_NAMESPACE
