#pragma once

#include "kernels/attention.h"
#include "kernels/matmul_packed.h"

/// Attention of many queries of one head in BF16, softmax in F32.
///
/// Blocks of keys begin at multiples of 256 tokens, whatever the queries, and a token that a query does not see has
/// the weight zero; so a query's result does not depend on the others.
namespace gptj {

template <class S, class Kv>
class PrefillAttention {
 public:
  PrefillAttention(const AttentionArgs& args, int index)
      : a(args),
        head(index),
        width(static_cast<int>(round_up(args.head_dim, kPanelRows))),
        query_stride(operand_stride(Operand::bf16, args.head_dim)),
        key_panel_bytes(operand_numbers(Operand::bf16, args.head_dim) * kPanelRows) {
    float* at = a.scratch;
    const auto take = [&](int64_t floats) { return (at += floats) - floats; };
    keys = reinterpret_cast<uint8_t*>(take(kKeyBlock / kPanelRows * key_panel_bytes / 4));
    values = reinterpret_cast<uint8_t*>(take(width * (kKeyBlock / 2)));
    queries = reinterpret_cast<uint8_t*>(take(round_up(a.n_queries, kOperandRows) * query_stride / 4));
    weights = reinterpret_cast<uint8_t*>(take(kQueries * kWeightStride / 4));
    scores = take(kQueries * kScoreStride);
    results = take(int64_t{a.n_queries} * width);
    softmax = reinterpret_cast<RunningSoftmax<S>*>(
        take(a.n_queries * int64_t{sizeof(RunningSoftmax<S>) / sizeof(float)}));
  }

  void run() const {
    for (int i = 0; i < a.n_queries; ++i) {
      pack_bf16_row<S>(a.q + i * a.q_stride + head * a.head_dim, a.head_dim, query_stride, i, queries);
      for (int d = 0; d < width; ++d) results[i * width + d] = 0.0f;
      softmax[i] = {};
    }
    for (int begin = 0; begin < visible(a.n_queries - 1); begin += kKeyBlock) {
      const int n = smaller<S>(kKeyBlock, visible(a.n_queries - 1) - begin);
      for (int t = 0; t < n; t += kKvPage) {
        const KvPage page = page_of<S>(a.kv, begin + t, head);
        pack_keys(page, smaller<S>(kKvPage, n - t), keys + t / kPanelRows * key_panel_bytes);
        pack_values(page, smaller<S>(kKvPage, n - t), values + t * kPanelRows * 2);
      }
      // The first query that sees any of them, or one before, where a tile begins.
      const int first = begin < visible(0) ? 0 : (begin - a.n_past) / kTogether * kTogether;
      for (int i = first; i < a.n_queries; i += kQueries)
        meet(begin, i, smaller<S>(kQueries, a.n_queries - i));
    }
    for (int i = 0; i < a.n_queries; ++i) {
      float* out = a.out + i * a.out_stride + head * a.head_dim;
      for (int d = 0; d < a.head_dim; ++d) out[d] = results[i * width + d] / softmax[i].sum;
    }
  }

 private:
  using F = typename S::F;
  using Element = typename Kv::Element;

  /// Queries of the same tile start together.
  static constexpr int kTogether = kTiled<S> ? kTileRows : 1;
  static constexpr int kQueries = kMaxQueryBlock / S::kPackedColumns * S::kPackedColumns;
  static_assert(kQueries % kTogether == 0);
  static constexpr int64_t kScoreStride = kKeyBlock + kPanelRows;
  static constexpr int64_t kWeightStride = operand_stride(Operand::bf16, kKeyBlock);

  int visible(int query) const { return visible_keys<S>(a, query); }

  /// Packs the first n tokens of a page: keys by pairs of dimensions, values by pairs of tokens.
  void pack_keys(const KvPage& page, int n, uint8_t* to) const {
    const auto* from = static_cast<const Element*>(page.keys);
    for (int panel = 0; panel * kPanelRows < n; ++panel) {
      const auto number = [&](int d, int row) {
        const F key = Kv::template load<S>(from + (int64_t{panel} * a.head_dim + d) * kPanelRows + row);
        if constexpr (!Kv::kScaled) return key;
        return S::mul(key,
                      S::load(page.key_scales + d / kKvBlock * page.n_tokens + panel * kPanelRows + row));
      };
      pack_panel(number, a.head_dim, to + panel * key_panel_bytes);
    }
  }
  void pack_values(const KvPage& page, int n, uint8_t* to) const {
    for (int panel = 0; panel * kPanelRows < a.head_dim; ++panel) {
      const auto* from = static_cast<const Element*>(page.values) + panel * page.n_tokens * kPanelRows;
      const float* scales = nullptr;
      if constexpr (Kv::kScaled) {
        scales = page.value_scales + panel * kPanelRows / kKvBlock * page.n_tokens;
      }
      const auto number = [&](int t, int row) {
        const F value = Kv::template load<S>(from + t * kPanelRows + row);
        if constexpr (!Kv::kScaled) return value;
        return S::mul(value, S::set1(scales[t]));
      };
      pack_panel(number, n, to + panel * kValuePanelBytes);
    }
  }

  /// number(k, row), k < n, in pairs of k.
  template <class Number>
  static void pack_panel(const Number& number, int n, uint8_t* to) {
    for (int k = 0; k < n; k += 2) {
      for (int row = 0; row < kPanelRows; row += S::kLanes) {
        const F second = k + 1 < n ? number(k + 1, row) : S::set1(0.0f);
        S::store_bytes(to + (k / 2 * kPanelRows + row) * 4, S::pack_bf16(number(k, row), second));
      }
    }
    complete_lanes<S>(to, (n + 1) / 2);
  }

  /// Queries [first, first + n) and the keys and values of the tokens from `begin`.
  void meet(int begin, int first, int n) const {
    const int n_keys = smaller<S>(kKeyBlock, visible(first + n - 1) - begin);
    const int n_panels = (n_keys + kPanelRows - 1) / kPanelRows;
    for (int i = 0; i < n; ++i) {
      for (int t = 0; t < n_panels * kPanelRows; ++t) scores[i * kScoreStride + t] = 0.0f;
    }
    packed_product<S, Bf16Dot>({.panels = keys,
                                .panel_stride = key_panel_bytes,
                                .n_panels = n_panels,
                                .n_lanes = (a.head_dim + 1) / 2,
                                .x = queries + first * query_stride,
                                .x_stride = query_stride,
                                .n_columns = n,
                                .y = scores,
                                .y_stride = kScoreStride});
    for (int i = 0; i < n; ++i) {
      weigh(first + i, smaller<S>(n_keys, visible(first + i) - begin), n_panels, scores + i * kScoreStride,
            i);
    }
    packed_product<S, Bf16Dot>({.panels = values,
                                .panel_stride = kValuePanelBytes,
                                .n_panels = width / kPanelRows,
                                .n_lanes = (n_keys + 1) / 2,
                                .x = weights,
                                .x_stride = kWeightStride,
                                .n_columns = n,
                                .y = results + int64_t{first} * width,
                                .y_stride = width});
  }

  /// Turns a query's scores of `n` tokens into their weights, followed by zeros up to `n_panels`, and brings the
  /// query's result so far to the same scale. They become the weights' row `weights_row`.
  void weigh(int query, int n, int n_panels, float* row, int weights_row) const {
    // It may see none of these tokens.
    const float factor = n > 0 ? softmax[query].weigh(row, n, a.scale) : 1.0f;
    for (int t = n > 0 ? n : 0; t < n_panels * kPanelRows; ++t) row[t] = 0.0f;
    pack_bf16_row<S>(row, n_panels * kPanelRows, kWeightStride, weights_row, weights);
    rescale<S>(results + int64_t{query} * width, width, factor);
  }

  static constexpr int64_t kValuePanelBytes = kKeyBlock / 2 * kPanelRows * 4;

  const AttentionArgs& a;
  const int head;
  const int width;  // head_dim, completed to whole panels
  const int64_t query_stride;
  const int64_t key_panel_bytes;
  uint8_t* keys;               // [kKeyBlock / 16][head_dim / 2][16][2]
  uint8_t* values;             // [width / 16][kKeyBlock / 2][16][2]
  uint8_t* queries;            // [n_queries] rows in BF16
  uint8_t* weights;            // [kQueries] rows in BF16
  float* scores;               // [kQueries][kScoreStride]
  float* results;              // [n_queries][width]
  RunningSoftmax<S>* softmax;  // [n_queries]
};

template <class S, class Kv>
void attention_prefill(const AttentionArgs& a) noexcept {
  for (int head = 0; head < a.n_heads; ++head) PrefillAttention<S, Kv>(a, head).run();
}

}  // namespace gptj
