#pragma once

#include "kernels/kv_formats.h"
#include "kernels/prefetch.h"
#include "kernels/smaller.h"
#include "kernels/unroll.h"
#include "kernels/vector.h"

/// softmax(q K^T * scale) V for some queries of one head, each with the keys that it sees.
///
/// Both products are panels times columns: keys times queries, and values times the queries' weights. Tiles
/// of some columns and panels keep their sums in registers. Each sum is one chain of multiply-adds in the
/// order of dimensions or tokens; where it is interrupted, it continues from memory. So neither tiles nor
/// blocks nor other queries change a bit of a query's result, and what a query must not see is never
/// multiplied with it.
namespace gptj {

/// y[c][16 p + lane] += sum over k of x[c][k] * panels[p][k][lane], for columns c. With kScaled each kKvBlock
/// of k has a sum of its own, which is multiplied with scales[block][16 p + lane].
template <class S, class Kv, bool kScaled>
struct KvProduct {
  using F = typename S::F;

  const typename Kv::Element* panels;
  int64_t panel_stride;  // elements
  int n_panels;
  int n;
  const float* x;
  int64_t x_stride;
  float* y;
  int64_t y_stride;
  const float* scales;  // [blocks][scale_stride]
  int64_t scale_stride;
  const typename Kv::Element* next;  // what is read after these panels

  /// Panels that a tile of C columns spans: what the registers hold, and at most 4, enough to read memory in
  /// several streams.
  static constexpr int panels_beside(int columns) {
    const int panels = S::kColumns / columns;
    return panels < 4 ? panels : 4;
  }

  template <int C>
  void columns(int first) const {
    constexpr int P = panels_beside(C);
    int p = 0;
    for (; p + P <= n_panels; p += P) tile<P, C>(p, first);
    if constexpr (P > 1) {
      for (; p < n_panels; ++p) tile<1, C>(p, first);
    }
  }

  template <int P, int C>
  void tile(int panel, int column) const {
    const auto* from = panels + panel * panel_stride;
    const float* factors = x + column * x_stride;
    float* to = y + column * y_stride + panel * kPanelRows;
    const auto* after = panel + P < n_panels ? from + P * panel_stride : next;
    if constexpr (kScaled) {
      const float* block_scales = scales + panel * kPanelRows;
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

  /// Panels are short, so what comes after them is prefetched, too.
  template <int P>
  [[gnu::always_inline]] void prefetch_ahead(const typename Kv::Element* from, int k, int length,
                                             const typename Kv::Element* after) const {
    constexpr int kAhead = 64;
    const int ahead = k + smaller<S>(kAhead, length);
    const auto* row = ahead < length ? from + ahead * kPanelRows : after + (ahead - length) * kPanelRows;
    GPTJ_UNROLL
    for (int p = 0; p < P; ++p) __builtin_prefetch(row + p * panel_stride);
  }

  /// Never inlined: the compiler would keep other things in registers, and sums in memory.
  template <int P, int C>
  [[gnu::noinline]] void add(const typename Kv::Element* from, const float* factors, int length,
                             const float* block_scales, float* to, const typename Kv::Element* after) const {
    constexpr int V = kPanelRows / S::kLanes;
    F sums[P * V][C];
    GPTJ_UNROLL
    for (int v = 0; v < P * V; ++v) {
      GPTJ_UNROLL
      for (int c = 0; c < C; ++c) {
        sums[v][c] = kScaled ? S::set1(0.0f) : S::load(to + c * y_stride + v * S::kLanes);
      }
    }
    for (int k = 0; k < length; ++k) {
      if (C <= 2 && kPrefetchesAll) prefetch_ahead<P>(from, k, length, after);
      const auto number = [&](int v) {
        return Kv::template load<S>(from + v / V * panel_stride + k * kPanelRows + v % V * S::kLanes);
      };
      const auto factor = [&](int c) { return S::set1(factors[c * x_stride + k]); };
      // Whichever are fewer are held in registers.
      if constexpr (C < P * V) {
        F held[C];
        GPTJ_UNROLL
        for (int c = 0; c < C; ++c) held[c] = factor(c);
        GPTJ_UNROLL
        for (int v = 0; v < P * V; ++v) {
          const F x_v = number(v);
          GPTJ_UNROLL
          for (int c = 0; c < C; ++c) sums[v][c] = S::fma(x_v, held[c], sums[v][c]);
        }
      } else {
        F held[P * V];
        GPTJ_UNROLL
        for (int v = 0; v < P * V; ++v) held[v] = number(v);
        GPTJ_UNROLL
        for (int c = 0; c < C; ++c) {
          const F x_c = factor(c);
          GPTJ_UNROLL
          for (int v = 0; v < P * V; ++v) sums[v][c] = S::fma(held[v], x_c, sums[v][c]);
        }
      }
    }
    GPTJ_UNROLL
    for (int v = 0; v < P * V; ++v) {
      GPTJ_UNROLL
      for (int c = 0; c < C; ++c) {
        float* out = to + c * y_stride + v * S::kLanes;
        if constexpr (kScaled) {
          sums[v][c] = S::fma(sums[v][c], S::load(block_scales + v * S::kLanes), S::load(out));
        }
        S::store(out, sums[v][c]);
      }
    }
  }
};

template <class S>
inline float largest_of(const float* scores, int n) {
  using F = typename S::F;
  const int whole = n / S::kLanes * S::kLanes;
  F top = S::set1(scores[0]);
  for (int i = 0; i < whole; i += S::kLanes) top = S::max(top, S::load(scores + i));
  float largest = S::reduce_max(top);
  for (int i = whole; i < n; ++i) largest = scores[i] > largest ? scores[i] : largest;
  return largest;
}

/// weights[i] = e^(scale * (scores[i] - largest)), in place; returns their sum.
template <class S>
inline float exponentials(float* scores, int n, float scale, float largest) {
  using F = typename S::F;
  const int whole = n / S::kLanes * S::kLanes;
  F sums = S::set1(0.0f);
  for (int i = 0; i < n; i += S::kLanes) {  // the end of the last register is scratch
    const F e = exp<S>(S::mul(S::sub(S::load(scores + i), S::set1(largest)), S::set1(scale)));
    S::store(scores + i, e);
    if (i < whole) sums = S::add(sums, e);
  }
  float sum = S::reduce_add(sums);
  for (int i = whole; i < n; ++i) sum += scores[i];
  return sum;
}

/// Calls tile.template run<C>(first) over n queries, as many at a time as the registers hold.
template <int C, class Tile>
inline void for_queries(int first, int n, const Tile& tile) {
  for (; n - first >= C; first += C) tile.template run<C>(first);
  if constexpr (C > 1) for_queries<C / 2>(first, n, tile);
}

/// Keys that a query sees.
template <class S>
inline int visible_keys(const AttentionArgs& a, int query) {
  const int causal = a.n_past + query + 1;
  return causal > a.n_common ? causal : a.n_common;
}

/// A block of queries, few enough that their scores stay in L2; keys and values are read once for all of them.
template <class S, class Kv>
struct QueryBlock {
  using Element = typename Kv::Element;

  static constexpr int kQueries = kMaxQueryBlock / S::kColumns * S::kColumns;

  const AttentionArgs& a;
  const int first;   // of the queries
  const int n;       // at most kQueries
  float* const out;  // [n][out_stride]
  const int64_t out_stride;
  float* const weights;  // [n][kKvPage]
  float* const scores;   // [n][score_stride]
  const int64_t score_stride;

  /// Keys that a query of this block sees.
  int visible(int query) const { return visible_keys<S>(a, first + query); }
  int n_keys() const { return visible(n - 1); }

  /// The page after the one of token `begin`, or that one if it is the last: something to prefetch.
  KvPage page_after(int begin) const {
    return page_of<S>(a.kv, begin + kKvPage < n_keys() ? begin + kKvPage : begin);
  }

  void run() const {
    for (int i = 0; i < n; ++i) {
      for (int64_t t = 0; t < score_stride; ++t) scores[i * score_stride + t] = 0.0f;
      for (int64_t d = 0; d < out_stride; ++d) out[i * out_stride + d] = 0.0f;
    }
    for (int begin = 0; begin < n_keys(); begin += kKvPage) {
      for_queries<S::kColumns>(0, n, KeyTile{*this, begin, smaller<S>(n_keys(), begin + kKvPage)});
    }
    float sums[kQueries];
    for (int i = 0; i < n; ++i) {
      float* of_query = scores + i * score_stride;
      sums[i] = exponentials<S>(of_query, visible(i), a.scale, largest_of<S>(of_query, visible(i)));
    }
    for (int begin = 0; begin < n_keys(); begin += kKvPage) {
      values(begin, smaller<S>(n_keys(), begin + kKvPage));
    }
    for (int i = 0; i < n; ++i) {
      float* to = a.out + (first + i) * a.out_stride;
      for (int d = 0; d < a.head_dim; ++d) to[d] = out[i * out_stride + d] / sums[i];
    }
  }

  struct KeyTile {
    const QueryBlock& block;
    const int begin, end;  // keys

    template <int C>
    void run(int query) const {
      const AttentionArgs& args = block.a;
      const int visible = smaller<S>(end, block.visible(query + C - 1)) - begin;
      if (visible <= 0) return;
      const KvPage page = page_of<S>(args.kv, begin);
      KvProduct<S, Kv, Kv::kScaled>{static_cast<const Element*>(page.keys),
                                    int64_t{args.head_dim} * kPanelRows,
                                    (visible + kPanelRows - 1) / kPanelRows,
                                    args.head_dim,
                                    args.q + block.first * args.q_stride,
                                    args.q_stride,
                                    block.scores + begin,
                                    block.score_stride,
                                    page.key_scales,
                                    page.n_tokens,
                                    static_cast<const Element*>(block.page_after(begin).keys)}
          .template columns<C>(query);
    }
  };

  /// out += what tokens [begin, end) weigh.
  void values(int begin, int end) const {
    const KvPage page = page_of<S>(a.kv, begin);
    for (int d = 0; d < a.head_dim; d += kKvBlock) {
      ValueTile tile{*this, page, begin, end, d, scores + begin, score_stride};
      if constexpr (Kv::kScaled) {
        scale_weights(begin, end, page.value_scales + d / kKvBlock * page.n_tokens);
        tile.x = weights;
        tile.x_stride = kKvPage;
      }
      for_queries<S::kColumns>(0, n, tile);
    }
  }

  void scale_weights(int begin, int end, const float* scales) const {
    for (int i = 0; i < n; ++i) {
      for (int t = begin; t < end; t += S::kLanes) {
        S::store(weights + i * kKvPage + t - begin,
                 S::mul(S::load(scores + i * score_stride + t), S::load(scales + t - begin)));
      }
    }
  }

  struct ValueTile {
    const QueryBlock& block;
    const KvPage& page;
    const int begin, end;  // tokens, of the page
    const int d;           // the first of at most kKvBlock dimensions
    const float* x;        // [n][x_stride], the weight of token `begin` first
    int64_t x_stride;

    template <int C>
    void run(int query) const {
      int common = smaller<S>(end, block.visible(query));
      if (common > begin) {
        product(begin, common).template columns<C>(query);
      } else {
        common = begin;
      }
      for (int c = 1; c < C; ++c) {  // what only later queries see
        const int own = smaller<S>(end, block.visible(query + c));
        if (own > common) product(common, own).template columns<1>(query + c);
      }
    }

    KvProduct<S, Kv, false> product(int from, int to) const {
      const int next_d = d + kKvBlock < block.a.head_dim ? d + kKvBlock : 0;
      const KvPage next = next_d != 0 ? page : block.page_after(begin);
      return {
          static_cast<const Element*>(page.values) + d * page.n_tokens + int64_t{from - begin} * kPanelRows,
          page.n_tokens * kPanelRows,
          (smaller<S>(kKvBlock, block.a.head_dim - d) + kPanelRows - 1) / kPanelRows,
          to - from,
          x + (from - begin),
          x_stride,
          block.out + d,
          block.out_stride,
          nullptr,
          0,
          static_cast<const Element*>(next.values) + next_d * next.n_tokens};
    }
  };
};

template <class S, class Kv>
void attention(const AttentionArgs& a) noexcept {
  using Block = QueryBlock<S, Kv>;
  const int64_t out_stride = (a.head_dim + kPanelRows - 1) / kPanelRows * kPanelRows;
  float* weights = a.scratch + kMaxQueryBlock * out_stride;
  float* scores = weights + kMaxQueryBlock * kKvPage;
  for (int first = 0; first < a.n_queries; first += Block::kQueries) {
    const int n = smaller<S>(Block::kQueries, a.n_queries - first);
    const int n_keys = visible_keys<S>(a, first + n - 1);
    const int64_t score_stride = (n_keys + kPanelRows - 1) / kPanelRows * kPanelRows + kPanelRows;
    Block{a, first, n, a.scratch, out_stride, weights, scores, score_stride}.run();
  }
}

}  // namespace gptj
