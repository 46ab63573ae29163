#pragma once

#include "kernels/matmul.h"
#include "kernels/operand_rows.h"
#include "kernels/packed_args.h"
#include "kernels/smaller.h"
#include "kernels/unroll.h"

/// Panels times many columns where the CPU has tiles: registers of 16 rows of 64 bytes, of which one instruction
/// multiplies two. A tile of weights is 16 lanes of a packed panel, one of columns 64 bytes of each of 16 of them.
namespace gptj {

/// Prefetches what comes next from memory, `bytes` of each of two panels, in equal parts at each step of packing and
/// multiplying: all at once would keep columns waiting.
template <class S>
class Prefetching {
 public:
  Prefetching() = default;
  Prefetching(const uint8_t* panel, int64_t panel_stride, int64_t bytes, int64_t steps)
      : at(panel), end(panel + bytes), stride(panel_stride), step_bytes(round_up(bytes / steps, kLine)) {}

  [[gnu::always_inline]] void step() {
    constexpr int kIntoL2 = 2;
    for (const uint8_t* to = end - at < step_bytes ? end : at + step_bytes; at < to; at += kLine) {
      __builtin_prefetch(at, 0, kIntoL2);
      __builtin_prefetch(at + stride, 0, kIntoL2);
    }
  }
  /// What packing calls.
  template <int kBytes>
  [[gnu::always_inline]] void next(const uint8_t* /*packed*/) {
    step();
  }

 private:
  static constexpr int kLine = 64;

  const uint8_t *at = nullptr, *end = nullptr;
  int64_t stride = 0, step_bytes = 0;
};

/// Products of one or two packed panels at a time, with up to four tiles of sums, numbered [tile of columns][panel];
/// tiles 4 and 5 hold columns, 6 and 7 weights.
template <class S, template <class> class Dot>
class TiledProduct {
 public:
  static constexpr int kColumns = 2 * kTileRows;  // at a time

  TiledProduct() = default;
  TiledProduct(const TiledProduct&) = delete;
  TiledProduct& operator=(const TiledProduct&) = delete;
  ~TiledProduct() { Tiles::close(); }

  /// Of multiplying.
  static int64_t steps(int n_columns, int n_lanes) {
    return round_up(n_columns, kColumns) / kColumns * round_up(n_lanes, kTileRows) / kTileRows;
  }

  /// y = before + W x for P panels and all columns; bytes: of one slab. The panels stay in L1, the columns only pass through it.
  /// Never inlined: the caller would take registers.
  template <int P>
  [[gnu::noinline]] void multiply(const PackedArgs& a, Prefetching<S> prefetching) {
    Unscaled<P> unscaled(a);
    for (int column = 0; column < a.n_columns; column += kColumns) {
      const int n = smaller<S>(kColumns, a.n_columns - column);
      prefetch_results<P>(a, smaller<S>(column + kColumns, a.n_columns - n), n);
      if (n > kTileRows) {
        open(kTileRows, n - kTileRows);
        columns<P, 2>(a, column, n, unscaled, prefetching);
      } else {
        open(n, n);
        columns<P, 1>(a, column, n, unscaled, prefetching);
      }
    }
    if constexpr (kBytes) unscaled.scale(sums[0][0], kColumns);
  }

 private:
  using F = typename S::F;
  using Tiles = typename S::Tiles;

  static_assert(Tiles::kRows == kTileRows && kOperandRows % kTileRows == 0 && S::kPackedColumns == kColumns);

  static constexpr bool kBytes = Dot<S>::kBytes;
  static constexpr int kTileBytes = kTileRows * kTileRowBytes;
  static constexpr int kScaledBetween = 4;  // of 32 columns, between the 8 steps of a slab

  /// Sums of columns that are not multiplied with their scales yet. A copy of what that needs, since tiles' stores
  /// could change whatever lies in memory.
  template <int P>
  struct Unscaled {
    F row_scales[P];
    const int64_t tile_stride, before_stride, y_stride;
    const uint8_t* x_scales = nullptr;
    const float* before = nullptr;
    float* y = nullptr;
    unsigned done = 0, n = 0;

    explicit Unscaled(const PackedArgs& a)
        : tile_stride(kTileRows * a.x_stride), before_stride(a.before_stride), y_stride(a.y_stride) {
      if constexpr (kBytes) {
        for (int p = 0; p < P; ++p) {
          const auto* scales = reinterpret_cast<const uint8_t*>(a.scales) + p * a.panel_stride;
          row_scales[p] = S::load(reinterpret_cast<const float*>(scales));
        }
      }
    }

    void start(const PackedArgs& a, int column, int n_columns) {
      x_scales = reinterpret_cast<const uint8_t*>(a.x_scales) + column * a.x_stride;
      before = a.before + column * a.before_stride;
      y = a.y + column * a.y_stride;
      done = 0;
      n = static_cast<unsigned>(n_columns);
    }

    /// Scales the next `more` columns.
    [[gnu::always_inline]] void scale(const int32_t* stored, unsigned more) {
      for (const unsigned end = n - done < more ? n : done + more; done < end; ++done) {
        const uint8_t* of_tile = x_scales + done / kTileRows * tile_stride;
        const SlabScale& of_column = reinterpret_cast<const SlabScale*>(of_tile)[done % kTileRows];
        const F d = S::set1(of_column.d);
        const auto start = S::set1(of_column.start);
        GPTJ_UNROLL
        for (int p = 0; p < P; ++p) {
          const auto sum =
              S::add(S::load_bytes(stored + p * kColumns * kPanelRows + done * kPanelRows), start);
          const F result =
              S::fma(S::to_float(sum), S::mul(d, row_scales[p]), S::load(before + p * kPanelRows));
          S::store(y + p * kPanelRows, result);
        }
        before += before_stride;
        y += y_stride;
      }
    }
  };

  /// Results are too far apart for the hardware to ask for them.
  template <int P>
  [[gnu::always_inline]] static void prefetch_results(const PackedArgs& a, int first, int n) {
    for (int c = first; c < first + n; ++c) {
      for (int p = 0; p < P; ++p) __builtin_prefetch(a.y + c * a.y_stride + p * kPanelRows);
    }
  }

  void open(int first, int second) {
    if (first == n_first && second == n_second) return;
    Tiles::open(first, second);
    n_first = first;
    n_second = second;
  }

  template <int P, int kColumnTiles, class Body>
  static void each_sum(const Body& body) {
    body.template operator()<0>(0, 0);
    if constexpr (P == 2) body.template operator()<1>(0, 1);
    if constexpr (kColumnTiles == 2) body.template operator()<2>(1, 0);
    if constexpr (kColumnTiles == 2 && P == 2) body.template operator()<3>(1, 1);
  }

  template <int P, int kColumnTiles>
  [[gnu::always_inline]] void columns(const PackedArgs& a, int column, int n, Unscaled<P>& unscaled,
                                      Prefetching<S>& prefetching) {
    if constexpr (kBytes) {
      each_sum<P, kColumnTiles>([]<int sum>(int, int) { Tiles::template zero<sum>(); });
      add<P, kColumnTiles>(a, column, unscaled, prefetching);
      unscaled.scale(sums[0][0], kColumns);
      each_sum<P, kColumnTiles>(
          [&]<int sum>(int t, int p) { Tiles::template store<sum>(sums[p][t * kTileRows], kTileRowBytes); });
      unscaled.start(a, column, n);
    } else {
      constexpr int64_t kFloat = sizeof(float);
      each_sum<P, kColumnTiles>([&]<int sum>(int t, int p) {
        const float* from = a.before + (column + t * kTileRows) * a.before_stride + p * kPanelRows;
        Tiles::template load<sum>(from, a.before_stride * kFloat);
      });
      add<P, kColumnTiles>(a, column, unscaled, prefetching);
      each_sum<P, kColumnTiles>([&]<int sum>(int t, int p) {
        float* to = a.y + (column + t * kTileRows) * a.y_stride + p * kPanelRows;
        Tiles::template store<sum>(to, a.y_stride * kFloat);
      });
    }
  }

  /// Tiles of sums += W x. Between the steps, while the tiles are busy, the sums before these are scaled.
  template <int P, int kColumnTiles>
  [[gnu::always_inline]] void add(const PackedArgs& a, int column, Unscaled<P>& unscaled,
                                  Prefetching<S>& prefetching) {
    const int64_t panel_stride = a.panel_stride;
    const uint8_t* x = a.x + column * a.x_stride;
    const uint8_t* next_x = x + kTileRows * a.x_stride;
    const uint8_t* w = a.panels;
    for (const uint8_t* end = w + int64_t{a.n_lanes} * kTileRowBytes; w < end; w += kTileBytes) {
      Tiles::template load_once<4>(x, kTileRowBytes);
      Tiles::template load<6>(w, kTileRowBytes);
      if constexpr (P == 2) Tiles::template load<7>(w + panel_stride, kTileRowBytes);
      if constexpr (kColumnTiles == 2) Tiles::template load_once<5>(next_x, kTileRowBytes);
      Dot<S>::template add_tile<0, 4, 6>();
      if constexpr (P == 2) Dot<S>::template add_tile<1, 4, 7>();
      if constexpr (kColumnTiles == 2) Dot<S>::template add_tile<2, 5, 6>();
      if constexpr (kColumnTiles == 2 && P == 2) Dot<S>::template add_tile<3, 5, 7>();
      if constexpr (kBytes) unscaled.scale(sums[0][0], kScaledBetween);
      prefetching.step();
      x += kTileBytes;
      next_x += kTileBytes;
    }
  }

  int n_first = 0, n_second = 0;  // rows of tiles
  alignas(64) int32_t sums[2][kColumns][kPanelRows];
};

/// y += W x for packed panels of BF16 numbers, however many.
template <class S, template <class> class Dot>
void tiled_product(const PackedArgs& args) {
  static_assert(!Dot<S>::kBytes);  // these have scales for each slab
  TiledProduct<S, Dot> product;
  for_panels<2>(args.n_panels, [&]<int P>(int panel) {
    PackedArgs a = args;
    a.panels += panel * a.panel_stride;
    a.y += panel * kPanelRows;
    a.before = a.y;
    a.before_stride = a.y_stride;
    product.template multiply<P>(a, {});
  });
}

}  // namespace gptj
