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

/// The keys and values of one head, and what is kept of them as numbers.
class Cache {
 public:
  Cache(const Kernels& table, KvType type, int n_ctx, int head_dim)
      : kernels_(table.kv[static_cast<int>(type)]),
        type_(type),
        head_dim_(head_dim),
        n_ctx_(round_up(n_ctx, kPanelRows)),
        keys_(at(n_ctx_ * head_dim * 4)),
        values_(at(n_ctx_ * round_up(head_dim, kPanelRows) * 4)),
        scales_(at(2 * n_scales())) {}

  KvHead head() {
    return {keys_.data(), values_.data(), scales_.data(), scales_.data() + n_scales(), n_ctx_};
  }
  void store(int token, const float* key, const float* value) {
    kernels_.store(head(), token, key, value, head_dim_);
  }

  float key(int token, int d) {
    const int64_t panel = token / kPanelRows;
    return number(keys_, (panel * head_dim_ + d) * kPanelRows + token % kPanelRows) *
           scale(head().key_scales, token, d);
  }
  float value(int token, int d) {
    const int64_t panel = d / kPanelRows;
    return number(values_, (panel * n_ctx_ + token) * kPanelRows + d % kPanelRows) *
           scale(head().value_scales, token, d);
  }
  float scale(const float* scales, int token, int d) const {
    return type_ == KvType::int8 ? scales[d / kKvBlock * n_ctx_ + token] : 1.0f;
  }

  /// Results of queries [n_past, n_past + n_queries), [n_queries][head_dim].
  std::vector<float> attention(const std::vector<float>& q, int n_past, int n_queries, float scale,
                               Arithmetic arithmetic = Arithmetic::exact) {
    std::vector<float> scratch(at(attention_scratch(n_past + n_queries, n_queries, head_dim_)),
                               std::numeric_limits<float>::quiet_NaN());
    std::vector<float> out(at(int64_t{n_queries} * (head_dim_ + 1)), 99.0f);
    kernels_.attention[static_cast<int>(arithmetic)]({head(), head_dim_, scale, q.data(), head_dim_,
                                                      n_queries, n_past, out.data(), head_dim_ + 1,
                                                      scratch.data()});
    std::vector<float> dense;
    for (int i = 0; i < n_queries; ++i) {
      const auto row = out.begin() + i * (head_dim_ + 1);
      EXPECT_EQ(row[head_dim_], 99.0f) << "wrote beyond head_dim";
      dense.insert(dense.end(), row, row + head_dim_);
    }
    return dense;
  }

 private:
  int64_t n_scales() const { return round_up(head_dim_, kKvBlock) / kKvBlock * n_ctx_; }
  float number(const std::vector<uint8_t>& from, int64_t i) const {
    if (type_ == KvType::int8) return static_cast<float>(static_cast<int8_t>(from[at(i)]));
    if (type_ == KvType::f16) {
      uint16_t half;
      std::memcpy(&half, &from[at(2 * i)], sizeof half);
      return f16_to_f32(half);
    }
    float value;
    std::memcpy(&value, &from[at(4 * i)], sizeof value);
    return value;
  }

  const KvKernels& kernels_;
  KvType type_;
  int head_dim_;
  int64_t n_ctx_;
  std::vector<uint8_t> keys_, values_;
  std::vector<float> scales_;
};

class AttentionTest : public KernelTest {
 protected:
  /// A cache with n random tokens.
  Cache filled(KvType type, int n, int head_dim) {
    Cache cache(table(), type, n, head_dim);
    for (int token = 0; token < n; ++token) cache.store(token, row(head_dim).data(), row(head_dim).data());
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
        for (const auto& [n_past, n_queries] :
             {std::pair{0, 1}, {0, 2}, {5, 7}, {0, 31}, {1, 33}, {240, 34}, {250, 1}, {955, 68}}) {
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

TEST_P(AttentionTest, KeepsNumbersWithinTheirRounding) {
  for (const KvType type : kTypes) {
    for (const int head_dim : kHeadDims) {
      constexpr int kTokens = 35;
      Cache cache(table(), type, kTokens, head_dim);
      for (int token = 0; token < kTokens; ++token) {
        const auto key = row(head_dim), value = row(head_dim);
        cache.store(token, key.data(), value.data());
        for (int d = 0; d < head_dim; ++d) {
          const auto rounding = [&](float x, const float* scales) {
            if (type == KvType::int8) return cache.scale(scales, token, d) * (0.5f + 0x1p-15f);
            return type == KvType::f16 ? std::max(std::abs(x), 0x1p-14f) * 0x1p-11f : 0.0f;
          };
          ASSERT_NEAR(cache.key(token, d), key[at(d)], rounding(key[at(d)], cache.head().key_scales));
          ASSERT_NEAR(cache.value(token, d), value[at(d)], rounding(value[at(d)], cache.head().value_scales));
        }
        // The scale is the smallest that reaches the largest of its values.
        if (type != KvType::int8) continue;
        float largest = 0;
        for (int d = 0; d < std::min(head_dim, kKvBlock); ++d)
          largest = std::max(largest, std::abs(key[at(d)]));
        ASSERT_FLOAT_EQ(cache.head().key_scales[token] * 127, largest);
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
