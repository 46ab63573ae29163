#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/half.h"
#include "kernels/tested_sets.h"

namespace gptj {
namespace {

constexpr KvType kTypes[] = {KvType::f16, KvType::f32, KvType::int8};
constexpr int kHeadDims[] = {1, 16, 20, 64, 80, 256};

size_t at(int64_t i) {
  return static_cast<size_t>(i);
}

/// The keys and values of some heads, and what is kept of the first one's as numbers. Pages follow each other backwards.
class Cache {
 public:
  Cache(const Kernels& table, KvType type, int n_ctx, int head_dim, int n_heads = 1)
      : kernels_(table.kv[static_cast<int>(type)]),
        type_(type),
        head_dim_(head_dim),
        n_heads_(n_heads),
        page_tokens_(std::min<int64_t>(kKvPage, round_up(n_ctx, kPanelRows))),
        bytes_(at(round_up(n_ctx, kKvPage) / kKvPage * page_bytes())) {
    for (auto page = static_cast<int>(round_up(n_ctx, kKvPage) / kKvPage); page-- > 0;)
      pages_.push_back(page);
  }

  KvHead head(int index = 0) {
    uint8_t* keys = bytes_.data() + index * head_bytes();
    uint8_t* values = keys + page_tokens_ * head_dim_ * 4;
    auto* scales = reinterpret_cast<float*>(values + page_tokens_ * round_up(head_dim_, kPanelRows) * 4);
    return {
        {keys, values, scales, scales + n_scales(), page_tokens_}, page_bytes(), head_bytes(), pages_.data()};
  }
  void store(int token, const float* key, const float* value, int head_index = 0) {
    kernels_.store(head(head_index), token, key, value, head_dim_);
  }
  void load(int token, float* key, float* value) { kernels_.load(head(), token, key, value, head_dim_); }

  float key(int token, int d) {
    const int64_t panel = token % kKvPage / kPanelRows;
    return number(head().first.keys, token, (panel * head_dim_ + d) * kPanelRows + token % kPanelRows) *
           key_scale(token, d);
  }
  float value(int token, int d) {
    const int64_t panel = d / kPanelRows;
    return number(head().first.values, token,
                  (panel * page_tokens_ + token % kKvPage) * kPanelRows + d % kPanelRows) *
           value_scale(token, d);
  }
  float key_scale(int token, int d) { return scale(head().first.key_scales, token, d); }
  float value_scale(int token, int d) { return scale(head().first.value_scales, token, d); }

  /// Results of queries [n_past, n_past + n_queries) of the first head, [n_queries][head_dim].
  std::vector<float> attention(const std::vector<float>& q, int n_past, int n_queries, float scale,
                               Arithmetic arithmetic = Arithmetic::exact, int n_common = 0) {
    return heads(0, 1, q, n_past, n_queries, scale, arithmetic, n_common);
  }

  /// The same of n heads, [n_queries][n][head_dim].
  std::vector<float> heads(int first, int n, const std::vector<float>& q, int n_past, int n_queries,
                           float scale, Arithmetic arithmetic, int n_common = 0) {
    std::vector<float> scratch(at(attention_scratch(n_queries, head_dim_)),
                               std::numeric_limits<float>::quiet_NaN());
    const int width = n * head_dim_;
    std::vector<float> out(at(int64_t{n_queries} * (width + 1)), 99.0f);
    kernels_.attention[static_cast<int>(arithmetic)]({.kv = head(first),
                                                      .n_heads = n,
                                                      .head_dim = head_dim_,
                                                      .scale = scale,
                                                      .q = q.data(),
                                                      .q_stride = width,
                                                      .n_queries = n_queries,
                                                      .n_past = n_past,
                                                      .n_common = n_common,
                                                      .out = out.data(),
                                                      .out_stride = width + 1,
                                                      .scratch = scratch.data()});
    std::vector<float> dense;
    for (int i = 0; i < n_queries; ++i) {
      const auto row = out.begin() + i * (width + 1);
      EXPECT_EQ(row[width], 99.0f) << "wrote beyond the heads";
      dense.insert(dense.end(), row, row + width);
    }
    return dense;
  }

 private:
  int64_t n_scales() const { return round_up(head_dim_, kKvBlock) / kKvBlock * page_tokens_; }
  int64_t head_bytes() const {  // of a page, with room for 4 bytes a number
    return 4 * (page_tokens_ * (head_dim_ + round_up(head_dim_, kPanelRows)) + 2 * n_scales());
  }
  int64_t page_bytes() const { return n_heads_ * head_bytes(); }
  int64_t page_of(int token) const { return pages_[at(token / kKvPage)] * page_bytes(); }

  float number(const void* first, int token, int64_t i) const {
    const uint8_t* from = static_cast<const uint8_t*>(first) + page_of(token);
    if (type_ == KvType::int8) return static_cast<float>(static_cast<int8_t>(from[i]));
    if (type_ == KvType::f16) {
      uint16_t half;
      std::memcpy(&half, from + 2 * i, sizeof half);
      return f16_to_f32(half);
    }
    float value;
    std::memcpy(&value, from + 4 * i, sizeof value);
    return value;
  }
  float scale(const float* first, int token, int d) const {
    if (type_ != KvType::int8) return 1.0f;
    return first[page_of(token) / 4 + d / kKvBlock * page_tokens_ + token % kKvPage];
  }

  const KvKernels& kernels_;
  KvType type_;
  int head_dim_;
  int n_heads_;
  int64_t page_tokens_;
  std::vector<uint8_t> bytes_;
  std::vector<int> pages_;
};

class AttentionTest : public KernelTest {
 protected:
  /// A cache with n random tokens.
  Cache filled(KvType type, int n, int head_dim, int n_heads = 1) {
    Cache cache(table(), type, n, head_dim, n_heads);
    for (int head = 0; head < n_heads; ++head) {
      for (int token = 0; token < n; ++token) {
        cache.store(token, row(head_dim).data(), row(head_dim).data(), head);
      }
    }
    return cache;
  }
  std::vector<float> row(int head_dim) {
    std::vector<float> values = this->values(head_dim);
    for (float& value : values) value *= 3;
    return values;
  }

  /// The last query against softmax(q K^T) V in double, of what the cache holds. Numbers that are multiplied
  /// are rounded to `precision` before.
  void check(KvType type, int n_keys, int head_dim, Arithmetic arithmetic = Arithmetic::exact,
             double precision = 0) {
    SCOPED_TRACE(testing::Message() << kKvTypeNames[static_cast<int>(type)] << ", " << n_keys
                                    << " keys, head_dim " << head_dim);
    Cache cache = filled(type, n_keys, head_dim);
    const auto q = values(head_dim);
    const float scale = 0.7f;
    const auto found = cache.attention(q, n_keys - 1, 1, scale, arithmetic);

    std::vector<double> weights;
    double sum = 0, largest = 0;
    for (int t = 0; t < n_keys; ++t) {
      double score = 0, magnitude = 0;
      for (int d = 0; d < head_dim; ++d) {
        const double product = double{q[at(d)]} * double{cache.key(t, d)} * double{scale};
        score += product;
        magnitude += std::abs(product);
      }
      weights.push_back(std::exp(score));
      sum += weights.back();
      largest = std::max(largest, magnitude);
    }
    // A score is a chain of head_dim multiply-adds, whose roundings are relative to the sum of magnitudes; a
    // scale, the largest score and the scale of all add some. The exponential makes them relative errors of a
    // weight, in numerator and denominator; then come the sums over tokens.
    const double u = 0x1p-24;
    const double of_weight = ((head_dim + 10) * u + 2 * precision) * largest + 8 * u;
    const double relative = 2 * of_weight + 2 * (n_keys + 4) * u + 2 * precision;
    for (int d = 0; d < head_dim; ++d) {
      double expected = 0, magnitude = 0;
      for (int t = 0; t < n_keys; ++t) {
        const double part = weights[at(t)] / sum * double{cache.value(t, d)};
        expected += part;
        magnitude += std::abs(part);
      }
      ASSERT_NEAR(found[at(d)], expected, relative * magnitude) << "at " << d;
    }
  }
};

TEST_P(AttentionTest, AgreesWithDouble) {
  for (const KvType type : kTypes) {
    for (const int n_keys : {1, 2, 31, 33, 127, 256, 1023}) {
      for (const int head_dim : kHeadDims) check(type, n_keys, head_dim);
    }
  }
}

TEST_P(AttentionTest, PromptsAgreeWithDoubleAsFarAsBf16Allows) {
  constexpr double kBf16 = 0x1p-8;
  for (const KvType type : kTypes) {
    for (const int n_keys : {1, 2, 31, 33, 255, 257, 600}) {
      for (const int head_dim : kHeadDims) check(type, n_keys, head_dim, Arithmetic::prefill, kBf16);
    }
  }
}

TEST_P(AttentionTest, QueriesTogetherGiveTheBitsOfEachAlone) {
  const auto check_all = [&](Arithmetic arithmetic) {
    for (const KvType type : kTypes) {
      for (const int head_dim : {20, 80}) {
        for (const auto& [n_past, n_queries] : {std::pair{0, 1},
                                                {0, 2},
                                                {5, 7},
                                                {0, 31},
                                                {1, 33},
                                                {240, 34},
                                                {243, 40},
                                                {250, 40},
                                                {250, 1},
                                                {955, 68}}) {
          SCOPED_TRACE(testing::Message() << kKvTypeNames[static_cast<int>(type)] << ", head_dim " << head_dim
                                          << ", " << n_queries << " queries after " << n_past);
          Cache cache = filled(type, n_past + n_queries, head_dim);
          const auto q = values(n_queries * head_dim);
          const auto together = cache.attention(q, n_past, n_queries, 0.3f, arithmetic);
          for (int i = 0; i < n_queries; ++i) {
            const std::vector<float> own(q.begin() + i * head_dim, q.end());
            const auto alone = cache.attention(own, n_past + i, 1, 0.3f, arithmetic);
            ASSERT_EQ(std::memcmp(alone.data(), &together[at(i * head_dim)], alone.size() * sizeof(float)), 0)
                << "query " << i;
          }
        }
      }
    }
  };
  check_all(Arithmetic::exact);
  check_all(Arithmetic::prefill);
}

TEST_P(AttentionTest, HeadsTogetherGiveTheBitsOfEachAlone) {
  constexpr int kHeads = 7, kPast = 130;
  for (const KvType type : kTypes) {
    for (const int head_dim : {20, 80}) {
      for (const int n_queries : {1, 2, 3, 7, 15}) {
        Cache cache = filled(type, kPast + n_queries, head_dim, kHeads);
        const auto q = values(n_queries * kHeads * head_dim);
        for (const Arithmetic arithmetic : {Arithmetic::exact, Arithmetic::prefill}) {
          const auto together = cache.heads(0, kHeads, q, kPast, n_queries, 0.3f, arithmetic);
          for (int head = 0; head < kHeads; ++head) {
            SCOPED_TRACE(testing::Message() << kKvTypeNames[static_cast<int>(type)] << ", head_dim "
                                            << head_dim << ", " << n_queries << " queries, head " << head);
            const auto of_head = [&](const std::vector<float>& rows) {
              std::vector<float> own;
              for (int i = 0; i < n_queries; ++i) {
                const auto from = rows.begin() + (i * kHeads + head) * head_dim;
                own.insert(own.end(), from, from + head_dim);
              }
              return own;
            };
            const auto alone = cache.heads(head, 1, of_head(q), kPast, n_queries, 0.3f, arithmetic);
            ASSERT_EQ(std::memcmp(alone.data(), of_head(together).data(), alone.size() * sizeof(float)), 0);
          }
        }
      }
    }
  }
}

TEST_P(AttentionTest, LaterTokensAreNotSeenWhateverTheyAre) {
  constexpr int kHeadDim = 20, kPast = 40, kQueries = 9;
  for (const KvType type : {KvType::f16, KvType::f32}) {
    Cache cache = filled(type, kPast + kQueries, kHeadDim);
    const auto q = values(kQueries * kHeadDim);
    const auto expected = cache.attention(q, kPast, kQueries, 0.3f);
    const std::vector<float> nothing(kHeadDim + 16, std::numeric_limits<float>::quiet_NaN());
    cache.store(kPast + 3, nothing.data(), nothing.data());
    const auto found = cache.attention(q, kPast, kQueries, 0.3f);
    EXPECT_EQ(std::memcmp(found.data(), expected.data(), 3 * kHeadDim * sizeof(float)), 0);
    EXPECT_TRUE(std::isnan(found.back()));
  }
}

/// As if every query were the last of the common tokens; those that follow see more.
TEST_P(AttentionTest, CommonTokensAreSeenByAllQueries) {
  constexpr int kHeadDim = 20, kPast = 250, kQueries = 40;
  for (const Arithmetic arithmetic : {Arithmetic::exact, Arithmetic::prefill}) {
    for (const int n_common : {kPast + kQueries, kPast + 9}) {
      Cache cache = filled(KvType::f16, kPast + kQueries, kHeadDim);
      const auto q = values(kQueries * kHeadDim);
      const auto found = cache.attention(q, kPast, kQueries, 0.3f, arithmetic, n_common);
      for (int i = 0; i < kQueries; ++i) {
        const std::vector<float> own(q.begin() + i * kHeadDim, q.end());
        const int last = std::max(kPast + i, n_common - 1);
        const auto alone = cache.attention(own, last, 1, 0.3f, arithmetic);
        ASSERT_EQ(std::memcmp(alone.data(), &found[at(i * kHeadDim)], alone.size() * sizeof(float)), 0)
            << "query " << i;
      }
    }
  }
}

TEST_P(AttentionTest, WhatIsLoadedIsWhatWasKept) {
  for (const KvType type : kTypes) {
    for (const int head_dim : kHeadDims) {
      constexpr int kTokens = 300;
      Cache cache = filled(type, kTokens, head_dim);
      for (const int token : {0, 17, 255, 256, kTokens - 1}) {
        std::vector<float> key(at(head_dim + 1), 99.0f), value(key);
        cache.load(token, key.data(), value.data());
        for (int d = 0; d < head_dim; ++d) {
          ASSERT_EQ(key[at(d)], cache.key(token, d));
          ASSERT_EQ(value[at(d)], cache.value(token, d));
        }
        EXPECT_EQ(key.back(), 99.0f);
        EXPECT_EQ(value.back(), 99.0f);
      }
    }
  }
}

TEST_P(AttentionTest, KeepsNumbersWithinTheirRounding) {
  for (const KvType type : kTypes) {
    for (const int head_dim : kHeadDims) {
      constexpr int kTokens = 35;
      Cache cache(table(), type, kTokens, head_dim);
      for (int token = 0; token < kTokens; ++token) {
        const auto key = row(head_dim), value = row(head_dim);
        cache.store(token, key.data(), value.data());
        for (int d = 0; d < head_dim; ++d) {
          const auto rounding = [&](float x, float scale) {
            if (type == KvType::int8) return scale * (0.5f + 0x1p-15f);
            return type == KvType::f16 ? std::max(std::abs(x), 0x1p-14f) * 0x1p-11f : 0.0f;
          };
          ASSERT_NEAR(cache.key(token, d), key[at(d)], rounding(key[at(d)], cache.key_scale(token, d)));
          ASSERT_NEAR(cache.value(token, d), value[at(d)],
                      rounding(value[at(d)], cache.value_scale(token, d)));
        }
        // The scale is the smallest that reaches the largest of its values.
        if (type != KvType::int8) continue;
        float largest = 0;
        for (int d = 0; d < std::min(head_dim, kKvBlock); ++d)
          largest = std::max(largest, std::abs(key[at(d)]));
        ASSERT_FLOAT_EQ(cache.key_scale(token, 0) * 127, largest);
      }
    }
  }
}

TEST_P(AttentionTest, ATokenOfZerosIsZero) {
  for (const KvType type : kTypes) {
    Cache cache(table(), type, 1, 20);
    const std::vector<float> zeros(64);
    cache.store(0, zeros.data(), zeros.data());
    for (const float x : cache.attention(values(20), 0, 1, 1.0f)) EXPECT_EQ(x, 0.0f);
  }
}

TEST_P(AttentionTest, HugeScoresDoNotOverflow) {
  constexpr int kKeys = 9, kHeadDim = 16;
  for (const KvType type : kTypes) {
    Cache cache(table(), type, kKeys, kHeadDim);
    for (int t = 0; t < kKeys; ++t) {
      const std::vector<float> key(kHeadDim, t == 4 ? 50.0f : -50.0f);
      const std::vector<float> value(kHeadDim, static_cast<float>(t));
      cache.store(t, key.data(), value.data());
    }
    const std::vector<float> q(kHeadDim, 100.0f);
    for (const float value : cache.attention(q, kKeys - 1, 1, 1.0f)) EXPECT_FLOAT_EQ(value, 4.0f);
  }
}

INSTANTIATE_TEST_SUITE_P(Sets, AttentionTest, testing::ValuesIn(tested_sets()), set_name);

}  // namespace
}  // namespace gptj
