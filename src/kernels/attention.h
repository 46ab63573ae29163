#pragma once

#include "kernels/kv_product.h"
#include "kernels/smaller.h"
#include "kernels/softmax.h"

/// softmax(q K^T * scale) V for some queries of some heads, each with the keys that it sees.
///
/// Both products are panels times columns: keys times queries, and values times the queries' weights. Each sum is one
/// chain of multiply-adds in the order of dimensions or tokens; where it is interrupted, it continues from memory. A
/// text is met page by page. So neither tiles nor other heads or queries change a bit of a query's result, and what a
/// query must not see is never multiplied with it.
namespace gptj {

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

/// A block of heads and queries: a page of the heads' keys and values is read once for all of them.
template <class S, class Kv>
struct AttentionBlock {
  using Element = typename Kv::Element;

  static constexpr int kHeads = kMaxHeadBlock;
  static constexpr int kQueries = kMaxQueryBlock / S::kColumns * S::kColumns;

  const AttentionArgs& a;
  const int first_head, n_heads;
  const int first, n;  // queries
  const int64_t width = round_up(a.head_dim, kPanelRows);
  const HeadRows<float> results{a.scratch, width* n, width};
  const HeadRows<float> scores{a.scratch + kHeads * kMaxQueryBlock * width, int64_t{kKvPage} * n, kKvPage};
  /// Weights times the values' scales.
  const HeadRows<float> scaled{scores.data + kHeads * kMaxQueryBlock * kKvPage, scores.head_stride, kKvPage};
  RunningSoftmax<S> softmax[kHeads][kQueries] = {};

  /// Keys that a query of this block sees.
  int visible(int query) const { return visible_keys<S>(a, first + query); }
  int n_keys() const { return visible(n - 1); }

  void run() {
    each_query([&](int head, int i) { clear(results.row(head, i), width); });
    for (int begin = 0; begin < n_keys(); begin += kKvPage) {
      const Page page{page_of<S>(a.kv, begin, first_head), begin, smaller<S>(n_keys(), begin + kKvPage)};
      const bool last = page.end == n_keys();
      meet(page, last ? page.memory : page_of<S>(a.kv, page.end, first_head));
    }
    each_query([&](int head, int i) {
      float* to = a.out + (first + i) * a.out_stride + (first_head + head) * a.head_dim;
      for (int d = 0; d < a.head_dim; ++d) to[d] = results.row(head, i)[d] / softmax[head][i].sum;
    });
  }

 private:
  struct Page {
    KvPage memory;   // of the first head
    int begin, end;  // tokens
  };

  template <class Each>
  void each_query(const Each& each) const {
    for (int head = 0; head < n_heads; ++head) {
      for (int i = 0; i < n; ++i) each(head, i);
    }
  }

  static void clear(float* x, int64_t n_values) {
    for (int64_t i = 0; i < n_values; ++i) x[i] = 0.0f;
  }

  /// From head to head of a page.
  int64_t elements() const { return a.kv.head_stride / int64_t{sizeof(Element)}; }
  int64_t floats() const { return a.kv.head_stride / int64_t{sizeof(float)}; }

  /// `next` is read after this page.
  void meet(const Page& page, const KvPage& next) {
    each_query([&](int head, int i) { clear(scores.row(head, i), kKvPage); });
    for_queries<S::kColumns>(0, n, KeyTile{*this, page});
    each_query([&](int head, int i) {
      const int n_seen = smaller<S>(page.end, visible(i)) - page.begin;
      if (n_seen <= 0) return;
      const float factor = softmax[head][i].weigh(scores.row(head, i), n_seen, a.scale);
      rescale<S>(results.row(head, i), static_cast<int>(width), factor);
    });
    if constexpr (!Kv::kScaled) {
      for_queries<S::kColumns>(0, n, ValueTile{*this, page, scores, 0, a.head_dim, next.keys});
      return;
    }
    for (int d = 0; d < a.head_dim; d += kKvBlock) {
      scale_weights(page, d / kKvBlock);
      const int end = smaller<S>(a.head_dim, d + kKvBlock);
      for_queries<S::kColumns>(0, n, ValueTile{*this, page, scaled, d, end, next.keys});
    }
  }

  struct KeyTile {
    const AttentionBlock& block;
    const Page& page;

    template <int C>
    void run(int query) const {
      const AttentionArgs& args = block.a;
      const int n_seen = smaller<S>(page.end, block.visible(query + C - 1)) - page.begin;
      if (n_seen <= 0) return;
      const KvPage& memory = page.memory;
      const HeadRows<const float> queries{
          args.q + block.first_head * args.head_dim + block.first * args.q_stride, args.head_dim,
          args.q_stride};
      KvProduct<S, Kv, Kv::kScaled>{static_cast<const Element*>(memory.keys),
                                    block.elements(),
                                    int64_t{args.head_dim} * kPanelRows,
                                    block.n_heads,
                                    (n_seen + kPanelRows - 1) / kPanelRows,
                                    args.head_dim,
                                    queries,
                                    block.scores,
                                    memory.key_scales,
                                    block.floats(),
                                    memory.n_tokens,
                                    static_cast<const Element*>(memory.values)}
          .template columns<C>(query);
    }
  };

  void scale_weights(const Page& page, int value_block) const {
    each_query([&](int head, int i) {
      const float* scales = page.memory.value_scales + head * floats() + value_block * page.memory.n_tokens;
      for (int t = 0; t < page.end - page.begin; t += S::kLanes) {
        S::store(scaled.row(head, i) + t, S::mul(S::load(scores.row(head, i) + t), S::load(scales + t)));
      }
    });
  }

  /// results += what the page's tokens weigh, in dimensions [d, end).
  struct ValueTile {
    const AttentionBlock& block;
    const Page& page;
    const HeadRows<float>& weights;
    const int d, end;
    const void* next;

    template <int C>
    void run(int query) const {
      int common = smaller<S>(page.end, block.visible(query));
      if (common > page.begin) {
        product(page.begin, common).template columns<C>(query);
      } else {
        common = page.begin;
      }
      for (int c = 1; c < C; ++c) {  // what only later queries see
        const int own = smaller<S>(page.end, block.visible(query + c));
        if (own > common) product(common, own).template columns<1>(query + c);
      }
    }

    KvProduct<S, Kv, false> product(int from, int to) const {
      const int64_t panel = page.memory.n_tokens * kPanelRows;
      const auto* values = static_cast<const Element*>(page.memory.values) + d / kPanelRows * panel;
      const HeadRows<float>& y = block.results;
      const int n_panels = (end - d + kPanelRows - 1) / kPanelRows;
      return {values + (from - page.begin) * kPanelRows,
              block.elements(),
              panel,
              block.n_heads,
              n_panels,
              to - from,
              {weights.data + (from - page.begin), weights.head_stride, weights.stride},
              {y.data + d, y.head_stride, y.stride},
              nullptr,
              0,
              0,
              end < block.a.head_dim ? values + n_panels * panel : static_cast<const Element*>(next)};
    }
  };
};

template <class S, class Kv>
void attention(const AttentionArgs& a) noexcept {
  using Block = AttentionBlock<S, Kv>;
  for (int head = 0; head < a.n_heads; head += Block::kHeads) {
    const int n_heads = smaller<S>(Block::kHeads, a.n_heads - head);
    for (int first = 0; first < a.n_queries; first += Block::kQueries) {
      Block{a, head, n_heads, first, smaller<S>(Block::kQueries, a.n_queries - first)}.run();
    }
  }
}

}  // namespace gptj
