#pragma once

#include "kernels/matmul.h"
#include "kernels/prefetch.h"

/// Panels of blocks times columns of 8-bit activations: integer products inside a block of 32 values, exact
/// in any order, then one multiply-add in F32 with both scales. Chains of 8 blocks, as in the F32 product.
///
/// Few columns read the panels as they lie: weights go from memory to registers. Many columns meet a slab
/// that was unpacked to bytes and F32 scales once. Both make the same sums, to the last bit.
namespace gptj {

/// How an instruction set takes a format's weights.
template <class S, class Format>
struct Weights {
  // Where the dot product wants unsigned weights, signed ones are given plus 128 (their sign bit flipped).
  static constexpr bool kFlip = Format::kSigned && S::kUnsignedDot;
  static constexpr bool kSigned = Format::kSigned && !kFlip;
  static constexpr int kOffset = kFlip ? -128 : Format::kOffset;
  /// Products added up in 16 bits while they fit there: groups of four in a run, 0 if not even one fits.
  static constexpr int kRun = S::kPairSums ? Format::kPairGroups : 0;

  static typename S::I group(const uint8_t* quants, int row, int g) {
    const typename S::I q = Format::template group<S>(quants, row, g);
    if constexpr (kFlip) return S::bit_xor(q, S::set1_bytes(0x80));
    return q;
  }
};

/// A slab as the many columns want it; a format of its own.
template <class S, class Format>
struct Unpacked {
  using From = Weights<S, Format>;
  static constexpr bool kHasMin = Format::kHasMin;
  static constexpr bool kSigned = From::kSigned;
  static constexpr int kOffset = From::kOffset;
  static constexpr int kPairGroups = Format::kPairGroups;
  static constexpr bool kStreamed = false;

  struct Block {
    uint8_t q[kQuantGroups][kPanelRows][4];
    float scale[kPanelRows];
    float minimum[kHasMin ? kPanelRows : 1];
  };

  template <class>
  static const uint8_t* scales(const uint8_t* panel, int b) {
    return panel + b * static_cast<int64_t>(sizeof(Block));
  }
  template <class>
  static const uint8_t* quants(const uint8_t* panel, int b) {
    return panel + b * static_cast<int64_t>(sizeof(Block));
  }
  template <class>
  static typename S::F scale(const uint8_t* block, int row) {
    return S::load(reinterpret_cast<const Block*>(block)->scale + row);
  }
  template <class>
  static typename S::F minimum(const uint8_t* block, int row) {
    return S::load(reinterpret_cast<const Block*>(block)->minimum + row);
  }
  template <class>
  static typename S::I group(const uint8_t* block, int row, int g) {
    return S::load_bytes(reinterpret_cast<const Block*>(block)->q[g][row]);
  }

  static void unpack(const uint8_t* panel, int first, int n_blocks, Block* out) {
    for (int b = 0; b < n_blocks; ++b) {
      const uint8_t* scales = Format::template scales<S>(panel, first + b);
      const uint8_t* quants = Format::template quants<S>(panel, first + b);
      for (int row = 0; row < kPanelRows; row += S::kLanes) {
        GPTJ_UNROLL
        for (int g = 0; g < kQuantGroups; ++g) S::store_bytes(out[b].q[g][row], From::group(quants, row, g));
        S::store(out[b].scale + row, Format::template scale<S>(scales, row));
        if constexpr (kHasMin) S::store(out[b].minimum + row, Format::template minimum<S>(scales, row));
      }
    }
  }
};

template <class S>
inline typename S::I broadcast_four(const int8_t* p) {
  int32_t x;
  __builtin_memcpy(&x, p, 4);
  return S::set1(x);
}

/// The integer products of P panels' and C columns' blocks, group by group.
template <class S, class Format, int P, int C>
struct BlockProducts {
  using I = typename S::I;
  using W = Weights<S, Format>;
  static constexpr int V = P * kPanelRows / S::kLanes;
  static constexpr int kGroups = W::kRun == 0 ? kQuantGroups : W::kRun;

  I sums[V][C];

  /// Adds the run of groups from kFirst; `first` tells whether there is nothing to add to.
  template <int kFirst>
  void add_run(const uint8_t* quants, int64_t panel_stride, const int8_t* const (&q)[C],
               const BlockScale* const (&blocks)[C]) {
    I run[V][C];
    GPTJ_UNROLL
    for (int c = 0; c < C; ++c) {
      const I start = offsets<kFirst>(*blocks[c]);
      GPTJ_UNROLL
      for (int v = 0; v < V; ++v) run[v][c] = start;
    }
    GPTJ_UNROLL
    for (int g = kFirst; g < kFirst + kGroups; ++g) {
      I weights[V];
      GPTJ_UNROLL
      for (int v = 0; v < V; ++v) {
        constexpr int kParts = kPanelRows / S::kLanes;
        weights[v] = W::group(quants + v / kParts * panel_stride, v % kParts * S::kLanes, g);
      }
      GPTJ_UNROLL
      for (int c = 0; c < C; ++c) {
        const I x = broadcast_four<S>(q[c] + 4 * g);
        GPTJ_UNROLL
        for (int v = 0; v < V; ++v) run[v][c] = add_products(run[v][c], weights[v], x);
      }
    }
    GPTJ_UNROLL
    for (int v = 0; v < V; ++v) {
      GPTJ_UNROLL
      for (int c = 0; c < C; ++c) {
        if constexpr (W::kRun != 0) run[v][c] = S::dot_16(run[v][c], S::set1_16(1));
        sums[v][c] = kFirst == 0 ? run[v][c] : S::add(sums[v][c], run[v][c]);
      }
    }
  }

 private:
  /// What the weights' offset contributes. In 16 bits it may wrap around: the run's own sum fits there.
  template <int kFirst>
  static I offsets(const BlockScale& block) {
    if constexpr (W::kOffset == 0) {
      return S::set1(int32_t{0});
    } else {
      const I pairs = S::set1(block.pair_sums[kFirst == 0 ? 0 : 1]);
      if constexpr (W::kRun == 0) {
        return S::dot_16(pairs, S::set1_16(W::kOffset));
      } else if constexpr (kFirst == 0 && W::kRun < kQuantGroups) {
        return S::mul_16(S::sub_16(pairs, S::set1(block.pair_sums[1])), S::set1_16(W::kOffset));
      } else {
        return S::mul_16(pairs, S::set1_16(W::kOffset));
      }
    }
  }

  static I add_products(I sum, I w, I x) {
    if constexpr (W::kRun != 0) {
      return S::add_pairs(sum, w, x);
    } else if constexpr (W::kSigned) {
      return S::dot_signed(sum, w, x);
    } else {
      return S::dot_unsigned(sum, w, x);
    }
  }
};

template <typename T>
inline const T* columns_on(const T* p, int64_t bytes) {
  return reinterpret_cast<const T*>(reinterpret_cast<const uint8_t*>(p) + bytes);
}

/// Where a tile works: some panels' slab, the columns' values beside it, and the outputs.
struct QuantTileArgs {
  const Streams& streams;
  int first, n_blocks;  // of the panels
  const int8_t* q;      // of column 0, at the slab
  const BlockScale* blocks;
  int64_t x_stride;  // bytes from column to column, of both
  int64_t y_stride;
};

template <class S, class Format, int P, int C>
inline void quant_tile(const QuantTileArgs& a, int column) {
  using F = typename S::F;
  using Products = BlockProducts<S, Format, P, C>;
  constexpr int V = Products::V, kParts = V / P;
  const uint8_t* panel = a.streams.panel;
  const int64_t stride = a.streams.stride;
  F sums[V][C];
  const int8_t* q[C];
  const BlockScale* blocks[C];
  GPTJ_UNROLL
  for (int c = 0; c < C; ++c) {
    q[c] = columns_on(a.q, (column + c) * a.x_stride);
    blocks[c] = columns_on(a.blocks, (column + c) * a.x_stride);
    GPTJ_UNROLL
    for (int v = 0; v < V; ++v) sums[v][c] = S::set1(0.0f);
  }
  for (int b = 0; b < a.n_blocks; ++b) {
    const uint8_t* quants = Format::template quants<S>(panel, a.first + b);
    if constexpr (Format::kStreamed) {
      constexpr int kBytes = Format::kPanelBlock * kQuantBlock / Format::kBlock;
      prefetch<P, kBytes>(a.streams, int64_t{a.first + b} * kBytes);
    }
    Products products;
    products.template add_run<0>(quants, stride, q, blocks);
    if constexpr (Products::kGroups < kQuantGroups) {
      products.template add_run<Products::kGroups>(quants, stride, q, blocks);
    }
    GPTJ_UNROLL
    for (int v = 0; v < V; ++v) {
      const uint8_t* scales = Format::template scales<S>(panel, a.first + b) + v / kParts * stride;
      const int row = v % kParts * S::kLanes;
      const F scale = Format::template scale<S>(scales, row);
      GPTJ_UNROLL
      for (int c = 0; c < C; ++c) {
        const F both = S::mul(scale, S::set1(blocks[c]->d));
        sums[v][c] = S::fma(S::to_float(products.sums[v][c]), both, sums[v][c]);
        if constexpr (Format::kHasMin) {
          sums[v][c] =
              S::fma(Format::template minimum<S>(scales, row), S::set1(blocks[c]->d_sum), sums[v][c]);
        }
      }
    }
    GPTJ_UNROLL
    for (int c = 0; c < C; ++c) {
      q[c] += kQuantBlock;
      ++blocks[c];
    }
  }
  GPTJ_UNROLL
  for (int c = 0; c < C; ++c) {
    GPTJ_UNROLL
    for (int v = 0; v < V; ++v) {
      float* to = result_at<S>(a.streams, v, a.y_stride, column + c);
      S::store(to, S::add(S::load(to), sums[v][c]));
    }
  }
}

template <class S, class Format, int P>
struct QuantTile {
  QuantTileArgs a;

  template <int C>
  void run(int column) const {
    quant_tile<S, Format, P, C>(a, column);
  }
};

template <class S, class Format>
struct QuantMatmul {
  static constexpr int kSlabBlocks = kSlab / kQuantBlock;

  /// The slab from block `first`.
  static QuantTileArgs slab(const MatmulArgs& a, const Streams& streams, int first) {
    const int rest = a.n / kQuantBlock - first;
    return {streams,
            first,
            rest < kSlabBlocks ? rest : kSlabBlocks,
            reinterpret_cast<const int8_t*>(a.x) + first * kQuantBlock,
            reinterpret_cast<const BlockScale*>(a.x + operand_numbers(Operand::blocks, a.n)) + first,
            a.x_stride,
            a.y_stride};
  }

  /// Few columns, C at a time; weights go from memory to registers.
  template <int P, int C>
  static void direct(const MatmulArgs& a) {
    for_streams<P>(a, [&]<int kStreams>(const Streams& streams) {
      for (int first = 0; first < a.n / kQuantBlock; first += kSlabBlocks) {
        const QuantTile<S, Format, kStreams> tile{slab(a, streams, first)};
        for_columns<C>(0, a.n_columns, tile);
      }
    });
  }

  static void unpacked(const MatmulArgs& a) {
    using Slab = Unpacked<S, Format>;
    alignas(64) typename Slab::Block blocks[kSlabBlocks];
    constexpr int kInL1 = 96;
    for_slabs<S, kInL1>(a, [&](int p, int begin, int, int column, int columns) {
      const int first = begin / kQuantBlock;
      const Streams only{reinterpret_cast<const uint8_t*>(blocks), 0, 0, a.y + p * kPanelRows, 0};
      QuantTile<S, Slab, 1> tile{slab(a, only, first)};
      Slab::unpack(a.panels + p * a.panel_stride, first, tile.a.n_blocks, blocks);
      tile.a.first = 0;
      for_columns<S::kQuantColumns>(column, column + columns, tile);
    });
  }

  static void run(const MatmulArgs& a) noexcept {
    start_results<S>(a);
    if (a.n_columns >= S::kManyColumns) return unpacked(a);
    if (a.n_columns == 1) return direct<S::kPanels, 1>(a);
    if (a.n_columns == 2) return direct<(S::kPanels + 1) / 2, 2>(a);
    direct<S::kQuantPanels, S::kQuantColumns>(a);
  }
};

}  // namespace gptj
