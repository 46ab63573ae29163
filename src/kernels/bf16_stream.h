#pragma once

#include "kernels/matmul.h"
#include "kernels/operand_rows.h"
#include "kernels/packed_panel.h"
#include "kernels/prefetch.h"

/// Weights of 16 bits times few columns in BF16: packed in registers on their way from memory.
namespace gptj {

/// One sum of products of BF16 numbers, in the order in which packed panels are summed up.
template <class S>
struct Bf16Sum {
  static constexpr int kValues = kPackedBytes / 2;  // before it is added to the result

  typename S::F sum = S::set1(0.0f);

  void add(typename S::I w, typename S::I x) { sum = S::dot_bf16(sum, w, x); }
  typename S::F total() const { return sum; }
};

/// A tile sums up the first and the second numbers of 16 pairs apart, then adds both (Intel's manual, TDPBF16PS).
/// Products of two BF16 numbers are exact in F32.
template <class S>
requires kTiled<S>
struct Bf16Sum<S> {
  using F = typename S::F;
  using I = typename S::I;
  static constexpr int kValues = 2 * S::Tiles::kRows;

  F first = S::set1(0.0f), second = S::set1(0.0f);

  void add(I w, I x) {
    const I upper = S::set1(static_cast<int32_t>(0xffff0000u));
    first = S::fma(S::as_float(S::template shift_left_32<16>(w)),
                   S::as_float(S::template shift_left_32<16>(x)), first);
    second = S::fma(S::as_float(S::bit_and(w, upper)), S::as_float(S::bit_and(x, upper)), second);
  }
  F total() const { return S::add(first, second); }
};

/// The same sums as with packed panels of floats, but weights are packed in registers on their way from memory: where
/// there are few columns, packed panels would be read only once, and memory would wait meanwhile.
template <class S, class Format, int P>
struct Bf16Stream {
  const MatmulArgs& a;
  const Streams& streams;

  template <int C>
  void run(int column) const {
    constexpr int kParts = kPanelRows / S::kLanes, V = P * kParts;
    constexpr int kValues = Bf16Sum<S>::kValues, kPair = 2 * 2 * kPanelRows;
    const uint8_t* columns[C];
    GPTJ_UNROLL
    for (int c = 0; c < C; ++c) columns[c] = a.x + number_offset<S>(a.x_stride, column + c, 0);
    for (int begin = 0; begin < a.n; begin += kValues) {
      const int end = smaller<S>(a.n, begin + kValues);
      const int64_t values = number_offset<S>(0, 0, 2 * begin) - 2 * begin;  // lie together
      Bf16Sum<S> sums[V][C];
      for (int k = begin; k < end; k += 2) {
        prefetch<P, kPair>(streams, k / 2 * kPair);
        typename S::I x[C];
        GPTJ_UNROLL
        for (int c = 0; c < C; ++c) {
          int32_t two;
          __builtin_memcpy(&two, columns[c] + values + 2 * k, 4);
          x[c] = S::set1(two);
        }
        GPTJ_UNROLL
        for (int v = 0; v < V; ++v) {
          const uint8_t* panel = streams.panel + v / kParts * streams.stride;
          const auto w = bf16_pair<S, Format>(panel, k, v % kParts * S::kLanes, end);
          GPTJ_UNROLL
          for (int c = 0; c < C; ++c) sums[v][c].add(w, x[c]);
        }
      }
      GPTJ_UNROLL
      for (int v = 0; v < V; ++v) {
        GPTJ_UNROLL
        for (int c = 0; c < C; ++c) {
          float* y = result_at<S>(streams, v, a.y_stride, column + c);
          S::store(y, S::add(S::load(y), sums[v][c].total()));
        }
      }
    }
  }
};

/// y += W x, kPanels panels at a time.
template <class S, class Format, int kPanels, int kColumns>
inline void bf16_streamed(const MatmulArgs& a) {
  for_streams<kPanels>(a, [&]<int P>(const Streams& streams) {
    for_columns<kColumns>(0, a.n_columns, Bf16Stream<S, Format, P>{a, streams});
  });
}

}  // namespace gptj
