#pragma once

#include <cstdint>

/// AMX (Sapphire Rapids 2023): eight registers of 16 rows of 64 bytes. Which one must stand in the instruction, hence
/// the template parameters.
namespace gptj::GPTJ_ISA_NAMESPACE {

struct AmxTiles {
  static constexpr int kRows = 16;

  /// Tiles 0, 1 and 4 get as many rows as `first`, 2, 3 and 5 as `second`, 6 and 7 all; zeros in all of them.
  static void open(int first, int second) {
    struct alignas(64) {
      uint8_t palette = 1, start_row = 0, reserved[14] = {};
      uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
      uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
    } config;
    for (const int tile : {0, 1, 4}) config.rows[tile] = static_cast<uint8_t>(first);
    for (const int tile : {2, 3, 5}) config.rows[tile] = static_cast<uint8_t>(second);
    asm volatile("ldtilecfg %0" : : "m"(config));
  }
  /// Tiles in use are saved whenever the system lets another thread run.
  static void close() { asm volatile("tilerelease"); }

  template <int tile>
  static void zero() {
    asm volatile("tilezero %%tmm%c0" : : "i"(tile));
  }
  /// Rows `stride` bytes apart.
  template <int tile>
  static void load(const void* from, int64_t stride) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(stride), "i"(tile) : "memory");
  }
  /// The same, for what is not used again soon: it need not stay in L1.
  template <int tile>
  static void load_once(const void* from, int64_t stride) {
    asm volatile("tileloaddt1 (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(stride), "i"(tile) : "memory");
  }
  template <int tile>
  static void store(void* to, int64_t stride) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(to), "r"(stride), "i"(tile) : "memory");
  }

  /// Each row of `x` times each column of `w`: of signed bytes with unsigned ones, or of BF16.
  template <int sum, int x, int w>
  static void dot_bytes() {
    asm volatile("tdpbsud %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(sum), "i"(x), "i"(w));
  }
  template <int sum, int x, int w>
  static void dot_bf16() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(sum), "i"(x), "i"(w));
  }
};

}  // namespace gptj::GPTJ_ISA_NAMESPACE
