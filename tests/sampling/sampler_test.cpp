#include "gptj/sampler.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "base/failure.h"
#include "base/sanitized.h"
#include "sampling/float_loops.h"
#include "sampling/random_number.h"
#include "sampling/sampling.h"

namespace gptj {
namespace {

using test::expect_error;
using test::sampling;

constexpr int kVocab = 50;

const Tokenizer& bytes() {
  static const Tokenizer tokenizer = test::byte_tokenizer();
  return tokenizer;
}

std::vector<float> some_logits(int n_vocab = kVocab) {
  std::vector<float> logits;
  for (int i = 0; i < n_vocab; ++i)
    logits.push_back(3.0f * std::sin(static_cast<float>(i) * static_cast<float>(i)));
  return logits;
}

SamplerOptions with_texts(SamplerOptions options, std::string_view name,
                          std::initializer_list<const char*> texts) {
  for (const char* text : texts) options.set(name, text);
  return options;
}

/// The value that chi-square with `df` degrees of freedom exceeds once in 10,000 times (Wilson and Hilferty).
double chi_square_limit(double df) {
  const double a = 2 / (9 * df);
  return df * std::pow(1 - a + 3.719 * std::sqrt(a), 3);
}

/// Of counts that are expected to be `means`.
double chi_square(const std::vector<double>& counts, const std::vector<double>& means) {
  double sum = 0;
  for (size_t i = 0; i < counts.size(); ++i)
    sum += (counts[i] - means[i]) * (counts[i] - means[i]) / means[i];
  return sum;
}

TEST(Sampler, DrawsAsOftenAsTheDistributionSays) {
  const SamplerOptions cases[] = {
      sampling({}),
      sampling({{"top-k", 0}, {"top-p", 1}, {"temp", 1}}),
      sampling({{"top-k", 0}, {"top-p", 1}, {"temp", 5}}),
      sampling({{"top-k", 12}, {"top-p", 0.8}, {"temp", 1.5}}),
      sampling({{"top-k", 0}, {"top-p", 1}, {"min-p", 0.1}}),
      sampling({{"top-k", 0}, {"top-p", 1}, {"typical", 0.8}}),
      sampling({{"top-k", 0}, {"top-p", 1}, {"top-n-sigma", 1}}),
      sampling({{"top-k", 0}, {"top-p", 1}, {"xtc-probability", 1}, {"xtc-threshold", 0.03}}),
      sampling({{"mirostat", 2}, {"mirostat-eta", 0}, {"mirostat-tau", 2}}),
      with_texts(sampling({{"repeat-penalty", 1.5}}), "logit-bias", {"3+2"}),
  };
  constexpr size_t kDraws = test::kSanitized ? 2000 : 20000;
  const std::vector<float> logits = some_logits();
  constexpr size_t kWindow = 7;  // contexts differ in length alone: these are the same tokens anywhere
  std::vector<int> context(kDraws + kWindow);
  for (size_t i = 0; i < context.size(); ++i) context[i] = static_cast<int>(i % kWindow);
  for (SamplerOptions options : cases) {
    SCOPED_TRACE(testing::Message() << "case " << &options - cases);
    options.set("repeat-last-n", kWindow);
    options.seed = 42;
    Sampler sampler(options, bytes(), kVocab);
    const std::span<const Candidate> expected =
        sampler.distribution(logits, std::span(context).first(kWindow));
    std::map<int, size_t> index;
    std::vector<double> means, counts(expected.size());
    for (const Candidate& candidate : expected) {
      index[candidate.id] = means.size();
      means.push_back(static_cast<double>(candidate.p) * kDraws);
    }
    for (size_t n = 0; n < kDraws; ++n) {
      const int id = sampler.sample(logits, std::span(context).first(kWindow + n));
      ASSERT_TRUE(index.contains(id)) << "drew " << id;
      ++counts[index[id]];
    }
    EXPECT_LT(chi_square(counts, means), chi_square_limit(static_cast<double>(means.size()) - 1));
  }
}

TEST(Sampler, GreedyTakesTheBestAndOfEqualsTheFirst) {
  const std::vector<float> logits = {1, 5, 2, 5, 5};
  for (const SamplerOptions& options :
       {sampling({{"temp", 0}}), sampling({{"top-k", 1}}), sampling({{"top-k", 0}, {"top-p", 0}}),
        sampling({{"top-k", 0}, {"temp", 0}}), sampling({{"top-k", 1}, {"temp", 1e-30}}),
        sampling({{"top-k", 1}, {"temp", 1e-300}}), sampling({{"temp", 0}, {"mirostat", 1}}),
        sampling({{"temp", 0}, {"mirostat", 2}, {"mirostat-tau", 0}})}) {
    Sampler sampler(options, bytes(), 5);
    std::vector<int> context;
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(sampler.sample(logits, context), 1);
      context.push_back(0);
    }
  }
}

TEST(Sampler, SeedAndPlaceDecideAndNothingElse) {
  const std::vector<float> logits = some_logits();
  const std::vector<int> context(200, 1);
  const auto make = [](uint64_t seed) {
    return Sampler(sampling({{"top-k", 0}, {"temp", 2}}, seed), bytes(), kVocab);
  };
  const auto draws = [&](uint64_t seed) {
    Sampler sampler = make(seed);
    std::vector<int> out;
    for (size_t n = 0; n < context.size(); ++n)
      out.push_back(sampler.sample(logits, std::span(context).first(n)));
    return out;
  };
  const std::vector<int> expected = draws(7);
  EXPECT_EQ(draws(7), expected);
  EXPECT_NE(draws(8), expected);
  EXPECT_NE(draws(7 + (1ULL << 32)), expected);  // all 64 bits count
  Sampler sampler = make(7);
  for (size_t n = context.size(); n-- > 0;) {  // in another order, some more than once, and looked at between
    sampler.distribution(logits, context);
    EXPECT_EQ(sampler.sample(logits, std::span(context).first(n)), expected[n]);
    EXPECT_EQ(make(7).sample(logits, std::span(context).first(n)), expected[n]);
  }
}

TEST(Sampler, RandomNumbersAreEvenlySpreadAndUnrelated) {
  EXPECT_EQ(mixed(0x9e3779b97f4a7c15), 0xe220a8397b1dcdaf);  // SplitMix64's first number of the seed 0
  constexpr size_t kBins = 16, kNumbers = 20000;
  const struct {
    const char* what;
    double (*first)(uint64_t);
    double (*second)(uint64_t);
  } cases[] = {
      {"places", [](uint64_t i) { return random_number(1, i, 0); },
       [](uint64_t i) { return random_number(1, i + 1, 0); }},
      {"seeds", [](uint64_t i) { return random_number(i, 9, 0); },
       [](uint64_t i) { return random_number(i + 1, 9, 0); }},
      {"seeds, the same place", [](uint64_t i) { return random_number(5, i, 0); },
       [](uint64_t i) { return random_number(6, i, 0); }},
      {"seeds, the next place", [](uint64_t i) { return random_number(5, i + 1, 0); },
       [](uint64_t i) { return random_number(6, i, 0); }},
      {"streams", [](uint64_t i) { return random_number(5, i, 0); },
       [](uint64_t i) { return random_number(5, i, 1); }},
  };
  for (const auto& c : cases) {
    std::vector<double> counts(kBins * kBins), means(kBins * kBins, 1.0 * kNumbers / (kBins * kBins));
    for (uint64_t i = 0; i < kNumbers; ++i) {
      const double a = c.first(i), b = c.second(i);
      ASSERT_TRUE(a >= 0 && a < 1 && b >= 0 && b < 1);
      ++counts[static_cast<size_t>(a * kBins) * kBins + static_cast<size_t>(b * kBins)];
    }
    EXPECT_LT(chi_square(counts, means), chi_square_limit(kBins * kBins - 1)) << c.what;
  }
}

TEST(Sampler, XtcExcludesAsOftenAsItsProbabilitySays) {
  const std::vector<float> logits = {2, 1.9f, 1.8f, 0};
  Sampler sampler(sampling({{"xtc-probability", 0.3}, {"xtc-threshold", 0.2}, {"top-p", 1}}), bytes(), 4);
  constexpr size_t kPlaces = 2000;
  const std::vector<int> context(kPlaces);
  double n = 0;
  for (size_t i = 0; i < kPlaces; ++i)
    n += sampler.distribution(logits, std::span(context).first(i)).front().id != 0;
  EXPECT_LT(chi_square({n, kPlaces - n}, {0.3 * kPlaces, 0.7 * kPlaces}), chi_square_limit(1));
}

/// The probabilities of a large vocabulary, worked out by sorting all of it.
std::vector<Candidate> sorted_distribution(const std::vector<float>& logits) {
  const float best = *std::max_element(logits.begin(), logits.end());
  double total = 0;
  for (const float logit : logits) total += std::exp(static_cast<double>(logit - best));
  std::vector<Candidate> out;
  for (size_t i = 0; i < logits.size(); ++i)
    out.push_back(
        {static_cast<int>(i), static_cast<float>(std::exp(static_cast<double>(logits[i] - best)) / total)});
  std::sort(out.begin(), out.end(), [&](const Candidate& a, const Candidate& b) {
    const float x = logits[static_cast<size_t>(a.id)], y = logits[static_cast<size_t>(b.id)];
    return x != y ? x > y : a.id < b.id;
  });
  return out;
}

std::set<int> ids_of(std::span<const Candidate> candidates) {
  std::set<int> ids;
  for (const Candidate& candidate : candidates) ids.insert(candidate.id);
  return ids;
}

TEST(Sampler, ALargeVocabularyIsCutWithoutSortingIt) {
  constexpr int kLarge = 50400;
  const Tokenizer& tokenizer = bytes();
  for (const float scale : {0.3f, 1.0f, 4.0f}) {
    for (const bool clustered : {false, true}) {
      std::vector<float> logits = some_logits(kLarge);
      for (size_t i = 0; i < logits.size(); ++i) {
        logits[i] *= scale;
        if (i % 3 == 1) logits[i] = logits[i - 1];               // equal ones
        if (clustered && i % 1024 == 5) logits[i] += 5 * scale;  // all best ones in one group
      }
      const std::vector<Candidate> all = sorted_distribution(logits);
      for (const size_t k : {1u, 7u, 40u, 256u, 257u, 5000u, 50399u}) {
        Sampler sampler(sampling({{"top-k", static_cast<double>(k)}, {"top-p", 1}, {"temp", 1}}), tokenizer,
                        kLarge);
        const std::set<int> found = ids_of(sampler.distribution(logits, {}));
        std::set<int> expected;
        for (size_t i = 0; i < k; ++i) expected.insert(all[i].id);
        EXPECT_EQ(found, expected) << k;
      }
      for (const double p : {0.001, 0.3, 0.9}) {
        Sampler sampler(sampling({{"top-k", 0}, {"top-p", p}, {"temp", 1}}), tokenizer, kLarge);
        double sum = 0;
        size_t n = 0;
        while (sum < p) sum += static_cast<double>(all[n++].p);
        EXPECT_NEAR(static_cast<double>(sampler.distribution(logits, {}).size()), static_cast<double>(n),
                    1 + 1e-5 * static_cast<double>(n))
            << p;
      }
      Sampler plain(sampling({{"top-k", 0}, {"top-p", 1}, {"temp", 1}}), tokenizer, kLarge);
      const std::span<const Candidate> found = plain.distribution(logits, {});
      ASSERT_EQ(found.size(), all.size());
      for (size_t i = 0; i < all.size(); ++i) ASSERT_NEAR(found[i].p, all[i].p, 2e-6f * all[i].p);
    }
  }
}

TEST(Sampler, TheMaskIsObeyed) {
  const std::vector<float> logits = some_logits(130);
  const std::vector<int> context = {3, 70, 129};
  const SamplerOptions cases[] = {
      sampling({}), sampling({{"top-k", 0}, {"top-p", 1}}), sampling({{"temp", 0}}),
      sampling({{"repeat-penalty", 1.3}, {"no-repeat-ngram", 1}}), with_texts({}, "banned-token", {"70"})};
  for (const SamplerOptions& options : cases) {
    for (const std::vector<uint64_t>& allowed : {std::vector<uint64_t>{~0ULL, ~0ULL, 3},
                                                 {~0ULL, ~1ULL << 9, 2},
                                                 {0, 1ULL << 6, 0},
                                                 {0, 0, 2},
                                                 {0, 1, ~0ULL}}) {
      const auto may_come = [&](int id) {
        return (allowed[static_cast<size_t>(id) / 64] >> (id % 64) & 1) != 0;
      };
      std::vector<float> masked = logits;
      for (int id = 0; id < 130; ++id) {
        if (!may_come(id)) masked[static_cast<size_t>(id)] = -INFINITY;
      }
      Sampler with_mask(options, bytes(), 130), without(options, bytes(), 130);
      const std::span<const Candidate> found = with_mask.distribution(logits, context, allowed);
      const std::span<const Candidate> expected = without.distribution(masked, context);
      for (const Candidate& candidate : found) EXPECT_TRUE(may_come(candidate.id));
      EXPECT_TRUE(may_come(with_mask.sample(logits, context, allowed)));
      if (!may_come(expected.front().id)) continue;  // nothing remained there
      ASSERT_EQ(found.size(), expected.size());
      for (size_t i = 0; i < found.size(); ++i) {
        EXPECT_EQ(found[i].id, expected[i].id);
        EXPECT_NEAR(found[i].p, expected[i].p, 1e-5f);
      }
    }
  }
}

TEST(Sampler, SurvivesLogitsThatAreNoNumbers) {
  for (const float wrong : {NAN, INFINITY, -INFINITY, 3e38f, -3e38f}) {
    for (const size_t n_wrong : {size_t{1}, size_t{20}, size_t{kVocab}}) {
      std::vector<float> logits = some_logits();
      std::fill_n(logits.begin(), n_wrong, wrong);
      for (const SamplerOptions& options :
           {SamplerOptions{}, sampling({{"top-k", 0}}), sampling({{"temp", 0}}),
            sampling({{"repeat-penalty", 100}}), sampling({{"mirostat", 1}}), sampling({{"mirostat", 2}}),
            sampling({{"typical", 0.5}}),
            sampling({{"top-n-sigma", 1}, {"dynatemp-range", 0.5}, {"min-p", 0.1}})}) {
        Sampler sampler(options, bytes(), kVocab);
        const std::vector<int> context = {0, 1, 0};
        for (int i = 0; i < 3; ++i) {
          const int id = sampler.sample(logits, context);
          EXPECT_TRUE(id >= 0 && id < kVocab) << id;
          const bool drew_nan = std::isnan(wrong) && static_cast<size_t>(id) < n_wrong;
          EXPECT_TRUE(!drew_nan || n_wrong == logits.size());
        }
        double sum = 0;
        for (const Candidate& candidate : sampler.distribution(logits, context))
          sum += static_cast<double>(candidate.p);
        EXPECT_NEAR(sum, 1, 1e-5);
      }
    }
  }
}

TEST(Sampler, BannedStringsNeverComeHoweverTheyAreCut) {
  const Tokenizer tokenizer = test::byte_tokenizer({"ab", "ba", "aba", "bab", "c", "abc", "ca"});
  const int n_vocab = tokenizer.n_tokens();
  std::vector<float> logits(static_cast<size_t>(n_vocab), -1000.0f);
  for (int id = 256; id < n_vocab; ++id) logits[static_cast<size_t>(id)] = 0;
  for (const char letter : {'a', 'b', 'c'}) logits[static_cast<size_t>(letter)] = 0;
  const std::vector<const char*> banned = {"abb", "cc", "babab"};
  Sampler sampler(with_texts(sampling({{"top-p", 1}}), "banned-string", {"abb", "cc", "babab"}), tokenizer,
                  n_vocab);
  std::vector<int> context;
  for (int i = 0; i < 2000; ++i) context.push_back(sampler.sample(logits, context));
  const std::string text = tokenizer.decode(context);
  for (const char* string : banned) EXPECT_EQ(text.find(string), text.npos) << string;
  for (const char* string : {"ab", "aa", "bab", "bb", "abab", "bca"})
    EXPECT_NE(text.find(string), text.npos) << string;
}

TEST(Sampler, IgnoringTheEndOfTextBansItsToken) {
  Vocab vocab;
  for (int byte = 0; byte < 256; ++byte) vocab.tokens.emplace_back(1, static_cast<char>(byte));
  vocab.eos = 4;
  const Tokenizer tokenizer(std::move(vocab));
  std::vector<float> logits(10, 0.0f);
  logits[4] = 100;
  SamplerOptions banned;
  banned.ban(4);
  for (const SamplerOptions& options :
       {banned, sampling({{"ignore-eos", 1}}), sampling({{"ignore-eos", 1}, {"temp", 0}})}) {
    Sampler sampler(options, tokenizer, 10);
    for (const Candidate& candidate : sampler.distribution(logits, {})) EXPECT_NE(candidate.id, 4);
  }
  EXPECT_EQ(Sampler({}, tokenizer, 10).sample(logits, {}), 4);
}

TEST(Sampler, TokensThatDoNotExistAreErrors) {
  for (const auto& [name, text] :
       {std::pair{"banned-token", "50"}, {"logit-bias", "50+1"}, {"logit-bias", "2147483647-inf"}}) {
    expect_error([&, n = name, t = text] { Sampler sampler(with_texts({}, n, {t}), bytes(), kVocab); },
                 {std::string(name) + ": expected", "from 0 to 49", "found"});
  }
}

TEST(FloatLoops, ExpIsExactToTheLastPlace) {
  std::vector<float> x, out(2001);
  for (int i = 0; i <= 2000; ++i) x.push_back(-0.0437f * static_cast<float>(i));
  const double sum = exp_of(x, 0, out);
  double expected_sum = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double expected = std::exp(static_cast<double>(x[i]));
    expected_sum += expected;
    EXPECT_NEAR(static_cast<double>(out[i]), expected, x[i] < -87 ? 1e-37 : 3e-7 * expected) << x[i];
  }
  EXPECT_NEAR(sum, expected_sum, 1e-6 * expected_sum);
  exp_of(std::vector<float>{-INFINITY, -1000, 0}, 0, out);
  EXPECT_EQ(out[0], 0);
  EXPECT_EQ(out[1], 0);
  EXPECT_EQ(out[2], 1);
}

}  // namespace
}  // namespace gptj
