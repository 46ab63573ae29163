#pragma once

#include "kernels/packed_args.h"
#include "kernels/smaller.h"
#include "kernels/unroll.h"

/// Panels times many columns where the CPU has tiles: registers of 16 rows of 64 bytes, of which one instruction
/// multiplies two. A tile of weights is 16 lanes of a packed panel, one of columns 64 bytes of each of 16 of them.
namespace gptj {

/// All panels times n columns, which fill one or two tiles. Two panels at a time make up to four tiles of sums,
/// numbered [tile of columns][panel]; tiles 4 and 5 hold columns, 6 and 7 weights.
template <class S, template <class> class Dot, int kColumnTiles>
class TiledColumns {
 public:
  TiledColumns(const PackedArgs& args, int first_column, int n_columns)
      : a(args), column(first_column), n(n_columns) {}

  /// A slab of the columns stays in L1 while all panels pass.
  void run() {
    each_result(
        [](float* result, float* y, const float*) { S::store(result, kBytes ? S::set1(0.0f) : S::load(y)); });
    for (int begin = 0; begin < a.n_lanes; begin += kSlabLanes) {
      const int end = smaller<S>(a.n_lanes, begin + kSlabLanes);
      for (int panel = 0; panel < a.n_panels; panel += 2) {
        if (panel + 1 < a.n_panels) {
          slab<2>(panel, begin, end);
        } else {
          slab<1>(panel, begin, end);
        }
      }
    }
    if constexpr (kBytes) scale(n);
    each_result([](const float* result, float* y, const float* row_scales) {
      const F sum = S::load(result);
      S::store(y, kBytes ? S::fma(sum, S::load(row_scales), S::load(y)) : sum);
    });
  }

 private:
  using F = typename S::F;
  using Tiles = typename S::Tiles;

  static constexpr bool kBytes = Dot<S>::kBytes;
  static constexpr int kRows = Tiles::kRows, kRowBytes = 64;
  static constexpr int kSlabLanes = kByteSlab / 4;

  template <int P>
  void slab(int panel, int begin, int end) {
    prefetch_results();
    if constexpr (kBytes) {
      each_sum<P>([]<int sum>(int, int) { Tiles::template zero<sum>(); });
      add<P>(panel, begin, end);
      scale(n);
      each_sum<P>([&]<int sum>(int t, int p) { Tiles::template store<sum>(sums[p][t * kRows], kRowBytes); });
      unscaled = {panel, 0, a.x_scales + begin / kSlabLanes};
    } else {
      const auto of = [&](int t, int p) { return results[panel + p][t * kRows]; };
      each_sum<P>([&]<int sum>(int t, int p) { Tiles::template load<sum>(of(t, p), kRowBytes); });
      add<P>(panel, begin, end);
      each_sum<P>([&]<int sum>(int t, int p) { Tiles::template store<sum>(of(t, p), kRowBytes); });
    }
  }

  template <int P, class Body>
  static void each_sum(const Body& body) {
    body.template operator()<0>(0, 0);
    if constexpr (P == 2) body.template operator()<1>(0, 1);
    if constexpr (kColumnTiles == 2) body.template operator()<2>(1, 0);
    if constexpr (kColumnTiles == 2 && P == 2) body.template operator()<3>(1, 1);
  }

  /// Results of the columns that come next, one column each time: they are too far apart for the hardware to ask for.
  void prefetch_results() {
    const int next = column + S::kPackedColumns + n_slabs++;
    if (next >= a.n_columns) return;
    const float* y = a.y + next * a.y_stride;
    for (int p = 0; p < a.n_panels; ++p) __builtin_prefetch(y + p * kPanelRows);
  }

  /// Tiles of sums += W x over the lanes [begin, end).
  template <int P>
  void add(int panel, int begin, int end) {
    const int64_t stride = a.x_stride, next_tile = kRows * stride;
    const uint8_t* x = a.x + column * stride + begin * 4;
    const uint8_t* w = a.panels + panel * a.panel_stride + begin * kRowBytes;
    const uint8_t* next_w = w + a.panel_stride;
    for (int lane = begin; lane < end; lane += kRows) {
      Tiles::template load<4>(x, stride);
      Tiles::template load_once<6>(w, kRowBytes);
      if constexpr (P == 2) Tiles::template load_once<7>(next_w, kRowBytes);
      if constexpr (kColumnTiles == 2) Tiles::template load<5>(x + next_tile, stride);
      Dot<S>::template add_tile<0, 4, 6>();
      if constexpr (P == 2) Dot<S>::template add_tile<1, 4, 7>();
      if constexpr (kColumnTiles == 2) Dot<S>::template add_tile<2, 5, 6>();
      if constexpr (kColumnTiles == 2 && P == 2) Dot<S>::template add_tile<3, 5, 7>();
      if constexpr (kBytes) scale(kScaledBetween);
      x += kRowBytes;
      w += kRows * kRowBytes;
      next_w += kRows * kRowBytes;
    }
  }

  /// Multiplies the sums of the slab before with their scales, for the next `more` columns, while the tiles are busy.
  /// Always for two panels: where there is only one, results of the second mean nothing.
  void scale(int more) {
    const int begin = unscaled.column, end = smaller<S>(n, begin + more);
    const auto* x_scale = reinterpret_cast<const uint8_t*>(unscaled.x_scales) + (column + begin) * a.x_stride;
    float* result = results[unscaled.panel][begin];
    const int32_t* sum = sums[0][begin];
    for (int c = begin; c < end; ++c) {
      const auto& of_column = *reinterpret_cast<const SlabScale*>(x_scale);
      const F d = S::set1(of_column.d);
      const auto start = S::set1(of_column.start);
      GPTJ_UNROLL
      for (int p = 0; p < 2; ++p) {
        float* to = result + p * kPanelResults;
        const auto total = S::add(S::load_bytes(sum + p * kPanelResults), start);
        S::store(to, S::fma(S::to_float(total), d, S::load(to)));
      }
      x_scale += a.x_stride;
      result += kPanelRows;
      sum += kPanelRows;
    }
    unscaled.column = end;
  }

  template <class Body>
  void each_result(const Body& body) {
    for (int p = 0; p < a.n_panels; ++p) {
      const auto* row_scales = reinterpret_cast<const uint8_t*>(a.scales) + p * a.panel_stride;
      for (int c = 0; c < n; ++c) {
        body(results[p][c], a.y + (column + c) * a.y_stride + p * kPanelRows,
             reinterpret_cast<const float*>(row_scales));
      }
    }
  }

  static constexpr int kScaledBetween = 4;  // of 32 columns, between the 8 steps of a slab
  static constexpr int kPanelResults = S::kPackedColumns * kPanelRows;

  const PackedArgs& a;
  const int column, n;
  int n_slabs = 0;  // so far
  struct {
    int panel, column;
    const SlabScale* x_scales;
  } unscaled = {0, n, a.x_scales};
  alignas(64) float results[S::kPackedPanels][S::kPackedColumns][kPanelRows];
  alignas(64) int32_t sums[2][S::kPackedColumns][kPanelRows];
};

template <class S, template <class> class Dot>
void tiled_product(const PackedArgs& args) {
  using Tiles = typename S::Tiles;
  for (int panel = 0; panel < args.n_panels; panel += S::kPackedPanels) {
    PackedArgs a = args;
    a.n_panels = smaller<S>(S::kPackedPanels, args.n_panels - panel);
    a.panels += panel * a.panel_stride;
    a.scales =
        reinterpret_cast<const float*>(reinterpret_cast<const uint8_t*>(a.scales) + panel * a.panel_stride);
    a.y += panel * kPanelRows;
    for (int column = 0; column < a.n_columns; column += S::kPackedColumns) {
      const int n = smaller<S>(S::kPackedColumns, a.n_columns - column);
      if (n > Tiles::kRows) {
        Tiles::open(Tiles::kRows, n - Tiles::kRows);
        TiledColumns<S, Dot, 2>(a, column, n).run();
      } else {
        Tiles::open(n, n);
        TiledColumns<S, Dot, 1>(a, column, n).run();
      }
    }
  }
  Tiles::close();
}

}  // namespace gptj
