#include <algorithm>
#include <cmath>
#include <map>

#include "base/failure.h"
#include "base/sanitized.h"
#include "gptj/generate.h"

namespace gptj {
namespace {

using test::expect_error;

constexpr int kVocab = 50;

std::vector<float> some_logits() {
  std::vector<float> logits;
  for (int i = 0; i < kVocab; ++i) logits.push_back(3.0f * std::sin(static_cast<float>(i * i)));
  return logits;
}

/// The probabilities that the options mean, worked out in another way: sort all, cut, divide.
std::map<int, double> expected_distribution(std::vector<float> logits, const SamplerOptions& options,
                                            const std::vector<int>& context) {
  std::vector<bool> seen(logits.size());
  const size_t look_back = options.repeat_last_n < 0
                               ? context.size()
                               : std::min(context.size(), static_cast<size_t>(options.repeat_last_n));
  for (size_t i = context.size() - look_back; i < context.size(); ++i)
    seen[static_cast<size_t>(context[i])] = true;
  std::vector<std::pair<double, int>> weights;
  for (size_t id = 0; id < logits.size(); ++id) {
    double logit = static_cast<double>(logits[id]);
    if (seen[id])
      logit = logit > 0 ? logit / static_cast<double>(options.repeat_penalty)
                        : logit * static_cast<double>(options.repeat_penalty);
    if (static_cast<int>(id) == options.banned_token) continue;
    weights.emplace_back(std::exp(logit / static_cast<double>(options.temperature)), static_cast<int>(id));
  }
  std::sort(weights.begin(), weights.end(), std::greater<>());
  if (options.top_k > 0) weights.resize(std::min(weights.size(), static_cast<size_t>(options.top_k)));
  double all = 0, kept = 0;
  for (const auto& [weight, id] : weights) all += weight;
  std::map<int, double> out;
  for (const auto& [weight, id] : weights) {
    if (!out.empty() && kept >= static_cast<double>(options.top_p) * all) break;
    out[id] = weight;
    kept += weight;
  }
  for (auto& [id, probability] : out) probability /= kept;
  return out;
}

/// The value that chi-square with `df` degrees of freedom exceeds once in 10,000 times (Wilson and Hilferty).
double chi_square_limit(double df) {
  const double a = 2 / (9 * df);
  return df * std::pow(1 - a + 3.719 * std::sqrt(a), 3);
}

TEST(Sampler, DrawsAsOftenAsTheOptionsSay) {
  const std::vector<int> context = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 17, 17};
  const SamplerOptions cases[] = {
      {.top_k = 0, .top_p = 1, .temperature = 1},
      {.top_k = 0, .top_p = 1, .temperature = 0.3f},
      {.top_k = 0, .top_p = 1, .temperature = 5},
      {.top_k = 7, .top_p = 1, .temperature = 2},
      {.top_k = 1000, .top_p = 1, .temperature = 2},
      {.top_k = 0, .top_p = 0.7f, .temperature = 1},
      {.top_k = 12, .top_p = 0.8f, .temperature = 1.5f},  // top_p is of what top_k leaves
      {.top_k = 0, .top_p = 1, .temperature = 1, .repeat_last_n = -1, .repeat_penalty = 2},
      {.top_k = 0, .top_p = 1, .temperature = 1, .repeat_last_n = 5, .repeat_penalty = 2},
      {.top_k = 0, .top_p = 0.9f, .temperature = 1, .repeat_last_n = 5, .repeat_penalty = 0.5f},
      {.top_k = 10, .top_p = 0.95f, .temperature = 1, .banned_token = 11},
  };
  constexpr int kDraws = test::kSanitized ? 2000 : 20000;
  const std::vector<float> logits = some_logits();
  for (SamplerOptions options : cases) {
    SCOPED_TRACE(testing::Message() << "case " << &options - cases);
    options.seed = 42;
    const std::map<int, double> expected = expected_distribution(logits, options, context);
    Sampler sampler(options, kVocab);
    std::map<int, int> found;
    for (int i = 0; i < kDraws; ++i) ++found[sampler.sample(logits, context)];
    double chi_square = 0;
    for (const auto& [id, probability] : expected) {
      const double mean = probability * kDraws;
      chi_square += (found[id] - mean) * (found[id] - mean) / mean;
    }
    EXPECT_LT(chi_square, chi_square_limit(static_cast<double>(expected.size()) - 1));
    for (const auto& [id, count] : found) EXPECT_TRUE(expected.contains(id) || count == 0) << "drew " << id;
  }
}

TEST(Sampler, GreedyTakesTheBestAndOfEqualsTheFirst) {
  const std::vector<float> logits = {1, 5, 2, 5, 5};
  for (const SamplerOptions& options :
       {SamplerOptions{.temperature = 0}, SamplerOptions{.top_k = 1}, SamplerOptions{.top_k = 0, .top_p = 0},
        SamplerOptions{.top_k = 1, .temperature = 1e-30f}}) {
    Sampler sampler(options, 5);
    for (int i = 0; i < 20; ++i) EXPECT_EQ(sampler.sample(logits, {}), 1);
  }
}

TEST(Sampler, ThePenaltyIsForEachTokenOnce) {
  const std::vector<float> logits = {2.0f, 1.5f, -1.0f, -2.5f};
  struct {
    float penalty;
    int last_n;
    std::vector<int> context;
    int drawn;
  } const cases[] = {
      {1.2f, 64, {0, 0, 0}, 0},                 // 2 / 1.2 is still more than 1.5; divided twice it is not
      {1.5f, 64, {0}, 1},                       // 1.33
      {1.5f, 64, {0, 1}, 0},                    // 1.33 and 1
      {1.5f, 1, {0, 1}, 0},                     // only the last one counts
      {1.5f, 2, {0, 3, 3}, 0},                  // the first is too long ago
      {1.5f, 3, {0, 3, 3}, 1},                  //
      {1.5f, -1, std::vector<int>(500, 0), 1},  // the whole text
      {1.5f, 0, {0, 0}, 0},                     // none of it
      {1.0f, 64, {0, 0}, 0},                    // no penalty
      {0.5f, 64, {1}, 1},                       // a reward: 3
  };
  for (const auto& c : cases) {
    Sampler sampler({.temperature = 0, .repeat_last_n = c.last_n, .repeat_penalty = c.penalty}, 4);
    EXPECT_EQ(sampler.sample(logits, c.context), c.drawn) << &c - cases;
  }
  // Negative logits become more negative; each call begins anew.
  Sampler sampler({.temperature = 0, .repeat_penalty = 2}, 4);
  const std::vector<float> negative = {-1.0f, -1.5f, -3.0f, -3.0f};
  const std::vector<int> first = {0}, both = {0, 1};
  EXPECT_EQ(sampler.sample(negative, first), 1);
  EXPECT_EQ(sampler.sample(negative, both), 0);
  EXPECT_EQ(sampler.sample(negative, {}), 0);
}

TEST(Sampler, TheBannedTokenIsNeverDrawn) {
  std::vector<float> logits(10, 0.0f);
  logits[4] = 100;
  for (const SamplerOptions& options :
       {SamplerOptions{.temperature = 0, .banned_token = 4},
        SamplerOptions{.top_k = 0, .top_p = 1, .temperature = 100, .banned_token = 4},
        SamplerOptions{.top_k = 1, .banned_token = 4},
        SamplerOptions{.repeat_penalty = 1.5f, .banned_token = 4}}) {
    Sampler sampler(options, 10);
    for (int i = 0; i < 2000; ++i) ASSERT_NE(sampler.sample(logits, std::vector<int>{4, 4}), 4);
  }
}

TEST(Sampler, TheSeedDecides) {
  const std::vector<float> logits = some_logits();
  const auto draws = [&](uint64_t seed) {
    Sampler sampler({.seed = seed, .top_k = 0, .top_p = 1, .temperature = 2}, kVocab);
    std::vector<int> out;
    for (int i = 0; i < 100; ++i) out.push_back(sampler.sample(logits, {}));
    return out;
  };
  EXPECT_EQ(draws(7), draws(7));
  EXPECT_NE(draws(7), draws(8));
  EXPECT_NE(draws(7), draws(7 + (1ULL << 32)));  // all 64 bits count
}

TEST(Sampler, SurvivesLogitsThatAreNoNumbers) {
  for (const float wrong : {NAN, INFINITY, -INFINITY}) {
    for (const size_t n_wrong : {size_t{1}, size_t{20}, size_t{kVocab}}) {
      std::vector<float> logits = some_logits();
      std::fill_n(logits.begin(), n_wrong, wrong);
      for (const SamplerOptions& options :
           {SamplerOptions{}, SamplerOptions{.top_k = 0}, SamplerOptions{.temperature = 0}}) {
        const int id = Sampler(options, kVocab).sample(logits, {});
        EXPECT_TRUE(id >= 0 && id < kVocab) << id;
        const bool drew_nan = std::isnan(wrong) && static_cast<size_t>(id) < n_wrong;
        EXPECT_TRUE(!drew_nan || n_wrong == logits.size());
      }
    }
  }
}

TEST(Sampler, OptionsOutOfRangeAreErrors) {
  struct {
    SamplerOptions options;
    const char *name, *found;
  } const cases[] = {
      {{.top_k = -1}, "top-k", "-1"},
      {{.top_k = 2'000'000}, "top-k", "2000000"},
      {{.top_p = -0.5f}, "top-p", "-0.5"},
      {{.top_p = 1.5f}, "top-p", "1.5"},
      {{.top_p = NAN}, "top-p", "nan"},
      {{.temperature = -1}, "temperature", "-1"},
      {{.temperature = NAN}, "temperature", "nan"},
      {{.temperature = INFINITY}, "temperature", "inf"},
      {{.repeat_last_n = -2}, "repeat-last-n", "-2"},
      {{.repeat_penalty = 0}, "repeat-penalty", "0"},
      {{.repeat_penalty = -1}, "repeat-penalty", "-1"},
      {{.repeat_penalty = NAN}, "repeat-penalty", "nan"},
  };
  for (const auto& c : cases) {
    expect_error([&] { Sampler sampler(c.options, kVocab); },
                 {std::string(c.name) + ": expected", std::string("found ") + c.found});
  }
}

}  // namespace
}  // namespace gptj
