#pragma once

#include "kernels/kv_formats.h"
#include "kernels/prefetch.h"
#include "kernels/unroll.h"

namespace gptj {

/// Rows of each head.
template <class Float>
struct HeadRows {
  Float* data;
  int64_t head_stride;  // floats
  int64_t stride;       // floats, from row to row

  [[gnu::always_inline]] Float* row(int head, int i) const { return data + head * head_stride + i * stride; }
};

/// y[h][c][16 p + lane] += sum over k of x[h][c][k] * panels[h][p][k][lane], for heads h and columns c. With kScaled
/// each kKvBlock of k has a sum of its own, which is multiplied with scales[h][block][16 p + lane].
///
/// A tile of some heads and columns keeps its sums in registers. The panels of a head follow each other in memory, so
/// each head is one long stream: only long ones are read as fast as memory can.
template <class S, class Kv, bool kScaled>
struct KvProduct {
  using F = typename S::F;
  using Element = typename Kv::Element;

  const Element* panels;  // of the first head
  int64_t head_stride;    // elements
  int64_t panel_stride;   // elements
  int n_heads;
  int n_panels;
  int n;
  HeadRows<const float> x;
  HeadRows<float> y;
  const float* scales;  // [blocks][scale_stride], of the first head
  int64_t scales_head_stride;
  int64_t scale_stride;
  const Element* next;  // what is read after these panels, of the first head

  /// Heads that a tile of C columns spans: what the registers hold, and at most 4, enough to read memory in several
  /// streams.
  static constexpr int heads_beside(int columns) {
    const int heads = S::kColumns / columns;
    return heads < 4 ? heads : 4;
  }

  template <int C>
  void columns(int first) const {
    heads<heads_beside(C), C>(0, first);
  }

 private:
  template <int P, int C>
  void heads(int head, int column) const {
    for (; head + P <= n_heads; head += P) {
      for (int panel = 0; panel < n_panels; ++panel) tile<P, C>(head, panel, column);
    }
    if constexpr (P > 1) heads<P / 2, C>(head, column);
  }

  template <int P, int C>
  void tile(int head, int panel, int column) const {
    const int64_t of_head = head * head_stride;
    const Element* from = panels + of_head + panel * panel_stride;
    const Element* after = panel + 1 < n_panels ? from + panel_stride : next + of_head;
    const float* factors = x.row(head, column);
    float* to = y.row(head, column) + panel * kPanelRows;
    if constexpr (kScaled) {
      const float* block_scales = scales + head * scales_head_stride + panel * kPanelRows;
      for (int k = 0; k < n; k += kKvBlock) {
        const int end = n - k < kKvBlock ? n : k + kKvBlock;
        add<P, C>(from + k * kPanelRows, factors + k, end - k, block_scales, to,
                  end < n ? from + end * kPanelRows : after);
        block_scales += scale_stride;
      }
    } else {
      add<P, C>(from, factors, n, nullptr, to, after);
    }
  }

  static constexpr int kRegisters = kPanelRows / S::kLanes;  // for 16 lanes
  /// Values of k whose numbers fill a line.
  static constexpr int kLine = 64 / (kPanelRows * int{sizeof(Element)});
  /// Asked for this many lines ahead. Where there are many columns, arithmetic takes longer than memory.
  static constexpr int kAhead = 32 * kLine;
  template <int C>
  static constexpr bool kWaits = C <= S::kColumns / 2;

  /// Never inlined: the compiler would keep other things in registers, and sums in memory.
  template <int P, int C>
  [[gnu::noinline]] void add(const Element* from, const float* factors, int length, const float* block_scales,
                             float* to, const Element* after) const {
    F sums[P][kRegisters][C];
    GPTJ_UNROLL
    for (int p = 0; p < P; ++p) {
      GPTJ_UNROLL
      for (int v = 0; v < kRegisters; ++v) {
        GPTJ_UNROLL
        for (int c = 0; c < C; ++c) {
          sums[p][v][c] = kScaled ? S::set1(0.0f) : S::load(sum_at(to, p, v, c));
        }
      }
    }
    int k = 0;
    for (; k + kLine <= length; k += kLine) {
      if (kWaits<C> && kPrefetchesAll) {
        const int ahead = k + kAhead;
        const Element* line =
            ahead < length ? from + ahead * kPanelRows : after + (ahead - length) * kPanelRows;
        GPTJ_UNROLL
        for (int p = 0; p < P; ++p) __builtin_prefetch(line + p * head_stride);
      }
      GPTJ_UNROLL
      for (int i = 0; i < kLine; ++i) step<P, C>(from + (k + i) * kPanelRows, factors + k + i, sums);
    }
    for (; k < length; ++k) step<P, C>(from + k * kPanelRows, factors + k, sums);
    GPTJ_UNROLL
    for (int p = 0; p < P; ++p) {
      GPTJ_UNROLL
      for (int v = 0; v < kRegisters; ++v) {
        GPTJ_UNROLL
        for (int c = 0; c < C; ++c) {
          float* out = sum_at(to, p, v, c);
          F sum = sums[p][v][c];
          if constexpr (kScaled) {
            sum = S::fma(sum, S::load(block_scales + p * scales_head_stride + v * S::kLanes), S::load(out));
          }
          S::store(out, sum);
        }
      }
    }
  }

  float* sum_at(float* to, int p, int v, int c) const {
    return to + p * y.head_stride + c * y.stride + v * S::kLanes;
  }

  template <int P, int C>
  [[gnu::always_inline]] void step(const Element* row, const float* factors,
                                   F (&sums)[P][kRegisters][C]) const {
    GPTJ_UNROLL
    for (int p = 0; p < P; ++p) {
      F numbers[kRegisters];
      GPTJ_UNROLL
      for (int v = 0; v < kRegisters; ++v) {
        numbers[v] = Kv::template load<S>(row + p * head_stride + v * S::kLanes);
      }
      GPTJ_UNROLL
      for (int c = 0; c < C; ++c) {
        const F factor = S::set1(factors[p * x.head_stride + c * x.stride]);
        GPTJ_UNROLL
        for (int v = 0; v < kRegisters; ++v) sums[p][v][c] = S::fma(numbers[v], factor, sums[p][v][c]);
      }
    }
  }
};

}  // namespace gptj
