#pragma once

#include "kernels/matmul.h"
#include "kernels/packed_args.h"
#include "kernels/tiled_product.h"
#include "kernels/unroll.h"

namespace gptj {

/// Pairs of BF16 numbers, summed in F32.
template <class S>
struct Bf16Dot {
  static constexpr bool kBytes = false;
  using Sum = typename S::F;

  static Sum add(Sum sum, typename S::I w, typename S::I x) { return S::dot_bf16(sum, w, x); }
  template <int sum, int x, int w>
  static void add_tile() {
    S::Tiles::template dot_bf16<sum, x, w>();
  }
};

/// Fours of bytes, summed in 32 bits: exact.
template <class S>
struct ByteDot {
  static constexpr bool kBytes = true;
  using Sum = typename S::I;

  static Sum add(Sum sum, typename S::I w, typename S::I x) {
    if constexpr (S::kUnsignedDot) {
      return S::dot_unsigned(sum, w, x);
    } else {
      return S::dot_signed(sum, w, x);
    }
  }
  template <int sum, int x, int w>
  static void add_tile() {
    S::Tiles::template dot_bytes<sum, x, w>();
  }
};

/// P panels and C columns from `panel` and `column` on.
template <class S, template <class> class Dot, int P, int C>
struct PackedTile {
  using F = typename S::F;
  using I = typename S::I;
  using Sum = typename Dot<S>::Sum;
  static constexpr int kParts = kPanelRows / S::kLanes, V = P * kParts;

  const PackedArgs& a;
  int panel, column;

  const uint8_t* weights(int v) const {
    return a.panels + (panel + v / kParts) * a.panel_stride + v % kParts * S::kLanes * 4;
  }
  const float* scales(int v) const {
    const auto* first = reinterpret_cast<const uint8_t*>(a.scales) + (panel + v / kParts) * a.panel_stride;
    return reinterpret_cast<const float*>(first) + v % kParts * S::kLanes;
  }
  const SlabScale& column_scale(int slab, int c) const {
    const auto* first = reinterpret_cast<const uint8_t*>(a.x_scales + slab);
    return *reinterpret_cast<const SlabScale*>(first + (column + c) * a.x_stride);
  }
  float* y(int v, int c) const {
    return a.y + (column + c) * a.y_stride + panel * kPanelRows + v * S::kLanes;
  }

  /// sums += W x over the lanes [begin, end). The first panels prefetch the next columns: they are far away, and the
  /// hardware cannot know where.
  void add(Sum (&sums)[V][C], int begin, int end) const {
    constexpr int kLanesOfLine = 16, kIntoL2 = 2;
    const uint8_t* w = weights(0) + begin * kPanelRows * 4;
    const uint8_t* x = a.x + column * a.x_stride + begin * 4;
    for (int lane = begin; lane < end; ++lane) {
      if (panel == 0 && lane % kLanesOfLine == 0) {
        GPTJ_UNROLL
        for (int c = 0; c < C; ++c) __builtin_prefetch(x + (c + C) * a.x_stride, 0, kIntoL2);
      }
      I both[V];
      GPTJ_UNROLL
      for (int v = 0; v < V; ++v) {
        both[v] = S::load_bytes(w + v / kParts * a.panel_stride + v % kParts * S::kLanes * 4);
      }
      GPTJ_UNROLL
      for (int c = 0; c < C; ++c) {
        int32_t four;
        __builtin_memcpy(&four, x + c * a.x_stride, 4);
        const I value = S::set1(four);
        GPTJ_UNROLL
        for (int v = 0; v < V; ++v) sums[v][c] = Dot<S>::add(sums[v][c], both[v], value);
      }
      w += kPanelRows * 4;
      x += 4;
    }
  }

  void run_floats() const {
    Sum sums[V][C];
    each([&](int v, int c) { sums[v][c] = S::set1(0.0f); });
    add(sums, 0, a.n_lanes);
    each([&](int v, int c) { S::store(y(v, c), S::add(S::load(y(v, c)), sums[v][c])); });
  }

  /// Columns have a scale for each slab: their results so far wait in L1.
  void run_bytes() const {
    alignas(64) float results[V][C][S::kLanes];
    each([&](int v, int c) { S::store(results[v][c], S::set1(0.0f)); });
    for (int begin = 0, slab = 0; begin < a.n_lanes; begin += kByteSlab / 4, ++slab) {
      Sum sums[V][C];
      each([&](int v, int c) { sums[v][c] = S::set1(column_scale(slab, c).start); });
      add(sums, begin, a.n_lanes - begin < kByteSlab / 4 ? a.n_lanes : begin + kByteSlab / 4);
      each([&](int v, int c) {
        const F d = S::set1(column_scale(slab, c).d);
        S::store(results[v][c], S::fma(S::to_float(sums[v][c]), d, S::load(results[v][c])));
      });
    }
    each([&](int v, int c) {
      S::store(y(v, c), S::fma(S::load(results[v][c]), S::load(scales(v)), S::load(y(v, c))));
    });
  }

 private:
  template <class Body>
  static void each(const Body& body) {
    GPTJ_UNROLL
    for (int c = 0; c < C; ++c) {
      GPTJ_UNROLL
      for (int v = 0; v < V; ++v) body(v, c);
    }
  }
};

/// Never inlined: the compiler would keep other things in registers, and sums in memory.
template <class S, template <class> class Dot, int P, int C>
[[gnu::noinline]] void packed_tile(const PackedArgs& a, int panel, int column) {
  const PackedTile<S, Dot, P, C> tile{a, panel, column};
  if constexpr (Dot<S>::kBytes) {
    tile.run_bytes();
  } else {
    tile.run_floats();
  }
}

/// All panels and C columns, which wait in L1.
template <class S, template <class> class Dot>
struct PackedColumns {
  const PackedArgs& a;

  template <int C>
  void run(int column) const {
    for_panels<S::kPackedPanels>(a.n_panels,
                                 [&]<int P>(int panel) { packed_tile<S, Dot, P, C>(a, panel, column); });
  }
};

/// y += W x.
template <class S, template <class> class Dot>
inline void packed_product(const PackedArgs& a) {
  if constexpr (kTiled<S>) {
    tiled_product<S, Dot>(a);
  } else {
    for_columns<S::kPackedColumns>(0, a.n_columns, PackedColumns<S, Dot>{a});
  }
}

}  // namespace gptj
