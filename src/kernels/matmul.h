#pragma once

#include "kernels/kernels.h"
#include "kernels/prefetch.h"
#include "kernels/smaller.h"
#include "kernels/unroll.h"
#include "tensor/formats.h"
#include "tensor/panel.h"

/// Panels times columns with F32 activations. Weights become F32 exactly, so every instruction set computes
/// the same sums but for the rounding of multiply-adds.
///
/// One chain of multiply-adds per output and slab of 256 values, whatever the number of columns: that is what
/// keeps results independent of the batch. A tile keeps its chains in registers; several of them hide the
/// latency of each.
namespace gptj {

/// Puts into y what products are added to.
template <class S>
inline void start_results(const MatmulArgs& a) {
  if (a.add && a.bias == nullptr) return;
  for (int c = 0; c < a.n_columns; ++c) {
    float* y = a.y + c * a.y_stride;
    for (int i = 0; i < a.n_panels * kPanelRows; i += S::kLanes) {
      const auto bias = a.bias != nullptr ? S::load(a.bias + i) : S::set1(0.0f);
      S::store(y + i, a.add ? S::add(S::load(y + i), bias) : bias);
    }
  }
}

/// Values [begin, end) of a slab as floats, [end - begin][16].
template <class S, class Format>
inline void unpack_slab(const uint8_t* panel, int begin, int end, float* out) {
  using F = typename S::F;
  using I = typename S::I;
  if constexpr (kIsQuantized<Format>) {
    for (int k = begin; k < end; k += kQuantBlock) {
      const uint8_t* scales = Format::template scales<S>(panel, k / kQuantBlock);
      const uint8_t* quants = Format::template quants<S>(panel, k / kQuantBlock);
      for (int row = 0; row < kPanelRows; row += S::kLanes) {
        const F scale = Format::template scale<S>(scales, row);
        F offset = S::set1(0.0f);
        if constexpr (Format::kHasMin) offset = Format::template minimum<S>(scales, row);
        const F zero_point = S::set1(static_cast<float>(Format::kOffset));
        GPTJ_UNROLL
        for (int g = 0; g < kQuantGroups; ++g) {
          const I q = Format::template group<S>(quants, row, g);
          // Byte j of each lane, sign-extended (what is unsigned is below 64).
          const I bytes[4] = {S::template shift_left_32<24>(q), S::template shift_left_32<16>(q),
                              S::template shift_left_32<8>(q), q};
          GPTJ_UNROLL
          for (int j = 0; j < 4; ++j) {
            const F value = S::add(S::to_float(S::template shift_right_signed_32<24>(bytes[j])), zero_point);
            S::store(out + (k - begin + 4 * g + j) * kPanelRows + row, S::fma(scale, value, offset));
          }
        }
      }
    }
  } else {
    for (int k = begin; k < end; ++k) {
      for (int row = 0; row < kPanelRows; row += S::kLanes) {
        S::store(out + (k - begin) * kPanelRows + row, Format::template load<S>(panel, k, row));
      }
    }
  }
}

template <class S, class Format>
void unpack(const uint8_t* panel, int begin, int end, float* out) noexcept {
  unpack_slab<S, Format>(panel, begin, end, out);
}

/// Where the results of register `v` of some streams' panels and of a column lie; columns are y_stride floats apart.
template <class S>
inline float* result_at(const Streams& streams, int v, int64_t y_stride, int column) {
  constexpr int kParts = kPanelRows / S::kLanes;
  return streams.y + v / kParts * streams.y_step + column * y_stride + v % kParts * S::kLanes;
}

/// y += W x for P panels, C columns and the values [begin, end) of one slab.
template <class S, class Format, int P, int C>
inline void float_tile(const MatmulArgs& a, const Streams& streams, int begin, int end, int column) {
  using F = typename S::F;
  constexpr int V = kPanelRows / S::kLanes;
  const int64_t x_stride = a.x_stride / static_cast<int64_t>(sizeof(float));
  const float* x = reinterpret_cast<const float*>(a.x) + column * x_stride;
  F sums[P * V][C];
  GPTJ_UNROLL
  for (int v = 0; v < P * V; ++v) {
    GPTJ_UNROLL
    for (int c = 0; c < C; ++c) sums[v][c] = S::set1(0.0f);
  }
  for (int k = begin; k < end; ++k) {
    if constexpr (Format::kStreamed) {
      constexpr int kBytes = static_cast<int>(Format::kInfo.block_bytes) * kPanelRows;
      prefetch<P, kBytes>(streams, int64_t{k} * kBytes);
    }
    F weights[P * V];
    GPTJ_UNROLL
    for (int v = 0; v < P * V; ++v) {
      weights[v] = Format::template load<S>(streams.panel + v / V * streams.stride, k, v % V * S::kLanes);
    }
    GPTJ_UNROLL
    for (int c = 0; c < C; ++c) {
      const F value = S::set1(x[c * x_stride + k]);
      GPTJ_UNROLL
      for (int v = 0; v < P * V; ++v) sums[v][c] = S::fma(weights[v], value, sums[v][c]);
    }
  }
  GPTJ_UNROLL
  for (int c = 0; c < C; ++c) {
    GPTJ_UNROLL
    for (int v = 0; v < P * V; ++v) {
      float* to = result_at<S>(streams, v, a.y_stride, column + c);
      S::store(to, S::add(S::load(to), sums[v][c]));
    }
  }
}

/// Calls tile.template run<C>(first column) over all columns, as many at a time as the registers hold.
template <int C, class Tile>
inline void for_columns(int first, int n_columns, const Tile& tile) {
  for (; n_columns - first >= C; first += C) tile.template run<C>(first);
  if constexpr (C > 1) {
    if (first < n_columns) for_columns<C - 1>(first, n_columns, tile);
  }
}

template <class S, class Format, int P>
struct FloatTile {
  const MatmulArgs& a;
  const Streams& streams;
  int begin, end;

  template <int C>
  void run(int column) const {
    float_tile<S, Format, P, C>(a, streams, begin, end, column);
  }
};

/// Calls body.template operator()<panels>(first panel) over all panels, P at a time and then one by one.
template <int P, class Body>
inline void for_panels(int n_panels, const Body& body) {
  int p = 0;
  for (; p + P <= n_panels; p += P) body.template operator()<P>(p);
  for (; p < n_panels; ++p) body.template operator()<1>(p);
}

/// Calls body.template operator()<streams>(Streams) over all panels, P streams at a time and then one by one.
template <int P, class Body>
inline void for_streams(const MatmulArgs& a, const Body& body) {
  const auto call = [&]<int kStreams>(int panel, int length, int left) {
    body.template operator()<kStreams>(Streams{a.panels + panel * a.panel_stride, length * a.panel_stride,
                                               left * a.panel_stride, a.y + panel * kPanelRows,
                                               int64_t{length} * kPanelRows});
  };
  const int length = a.n_panels / P;
  for (int p = 0; p < length; ++p) call.template operator()<P>(p, length, length - p);
  for (int p = P * length; p < a.n_panels; ++p) call.template operator()<1>(p, 1, a.n_panels - p);
}

/// Calls body(panel, begin, end, first column, columns) for every slab of every panel and every column, where a slab
/// is unpacked once for many columns: for `kInCache` columns at a time, whose slabs stay in a cache. With fewer
/// columns, the next slabs of the same panel come first, so that weights are read in the order in which they lie.
template <class S, int kInCache, class Body>
inline void for_slabs(const MatmulArgs& a, const Body& body) {
  for (int first = 0; first < a.n_columns; first += kInCache) {
    const int columns = smaller<S>(kInCache, a.n_columns - first);
    const int run = kInCache / columns * kSlab;
    for (int start = 0; start < a.n; start += run) {
      for (int p = 0; p < a.n_panels; ++p) {
        for (int begin = start; begin < smaller<S>(a.n, start + run); begin += kSlab) {
          body(p, begin, smaller<S>(a.n, begin + kSlab), first, columns);
        }
      }
    }
  }
}

/// Panels that lie in L1.
struct UnpackedF32 : F32 {
  static constexpr bool kStreamed = false;
};

template <class S, class Format>
struct FloatMatmul {
  static int slab_end(int n, int begin) { return n - begin < kSlab ? n : begin + kSlab; }

  /// Few columns: weights go from memory to registers, as many panels at a time as make enough chains. That also reads
  /// memory in several streams; one would not keep a core's prefetchers busy.
  template <int P, int C>
  static void direct(const MatmulArgs& a) {
    for_streams<P>(a, [&]<int kStreams>(const Streams& streams) {
      for (int begin = 0; begin < a.n; begin += kSlab) {
        const FloatTile<S, Format, kStreams> tile{a, streams, begin, slab_end(a.n, begin)};
        for_columns<C>(0, a.n_columns, tile);
      }
    });
  }

  /// Many columns: each slab of a panel is unpacked to F32 once and meets all columns from L1.
  static void unpacked(const MatmulArgs& a) {
    alignas(64) float weights[kSlab * kPanelRows];
    constexpr int kInL2 = 192;
    for_slabs<S, kInL2>(a, [&](int p, int begin, int end, int first, int columns) {
      unpack_slab<S, Format>(a.panels + p * a.panel_stride, begin, end, weights);
      MatmulArgs slab = a;
      slab.x += begin * 4;
      const Streams only{reinterpret_cast<const uint8_t*>(weights), 0, 0, a.y + p * kPanelRows, 0};
      for_columns<S::kColumns>(first, first + columns,
                               FloatTile<S, UnpackedF32, 1>{slab, only, 0, end - begin});
    });
  }

  static void run(const MatmulArgs& a) noexcept {
    start_results<S>(a);
    if constexpr (!kIsQuantized<Format>) {
      if (a.n_columns == 1) return direct<S::kPanels, 1>(a);
      if (a.n_columns == 2) return direct<(S::kPanels + 1) / 2, 2>(a);
      if (a.n_columns < S::kManyColumns) return direct<S::kTilePanels, S::kTileColumns>(a);
    }
    unpacked(a);
  }
};

}  // namespace gptj
