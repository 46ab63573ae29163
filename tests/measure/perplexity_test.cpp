#include "gptj/perplexity.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/failure.h"
#include "base/file.h"
#include "base/sanitized.h"
#include "engine/tiny_models.h"

namespace gptj {
namespace {

using namespace test;

std::string text() {
  return read_text_file(GPTJ_TEST_DATA "/perplexity/text.c", 1 << 20);
}

/// -log of the probability that the logits give to a token.
double surprise(std::span<const float> logits, int token) {
  long double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<long double>(logit));
  return static_cast<double>(std::log(sum)) - static_cast<double>(logits[static_cast<size_t>(token)]);
}

// tools/make_golden_perplexity.py
TEST(Perplexity, IsWhatTheReferenceFinds) {
  const auto expected =
      nlohmann::json::parse(read_text_file(GPTJ_TEST_DATA "/perplexity/expected.json", 1 << 20));
  ASSERT_EQ(expected.size(), 4U);
  for (const auto& e : expected) {
    if (test::kSanitized && e != expected.front()) continue;  // the last figures are not what they look for
    const Model model(std::string(GPTJ_DEMO_MODELS "/") + e["model"].get<std::string>());
    const std::vector<int> ids = model.tokenizer().encode(text());
    EXPECT_EQ(ids.size(), e["n_tokens"].get<size_t>());
    Session session(model, {.n_ctx = e["n_ctx"], .kv_type = KvType::f32, .exact = true});
    const PerplexityResult found = perplexity(session, ids, {});
    EXPECT_EQ(found.n_windows, e["n_windows"]);
    EXPECT_EQ(found.n_scored, e["n_scored"]);
    EXPECT_NEAR(found.nll, e["nll"], 1e-5);
    EXPECT_NEAR(found.perplexity, e["perplexity"], 1e-5 * found.perplexity);
    EXPECT_NEAR(found.error, e["error"], 1e-5 * found.error);
  }
}

class PerplexityTest : public testing::Test {
 protected:
  PerplexityTest() : model_(write_tiny(directory_, "gpt2", DType::f16)) {}

  TemporaryDirectory directory_;
  Model model_;
};

TEST_F(PerplexityTest, IsThatOfTheLogits) {
  for (const int window : {3, 4, 21, 80}) {
    for (const int n_tokens : {window, 2 * window - 1, 2 * window, 3 * window + 1}) {
      SCOPED_TRACE(testing::Message() << n_tokens << " tokens in windows of " << window);
      const std::vector<int> ids = some_ids(n_tokens);
      double sum = 0, squares = 0;
      int n = 0;
      for (int begin = 0; begin + window <= n_tokens; begin += window) {
        const std::span tokens =
            std::span(ids).subspan(static_cast<size_t>(begin), static_cast<size_t>(window));
        const Logits logits = evaluate(model_, {}, tokens, tokens.size());
        for (size_t i = static_cast<size_t>(window) / 2; i + 1 < tokens.size(); ++i) {
          const double nll = surprise(std::span(logits).subspan(i * 300, 300), tokens[i + 1]);
          sum += nll;
          squares += nll * nll;
          ++n;
        }
      }
      Session session(model_, {.n_ctx = window});
      session.prefill(std::span(ids).first(2));  // what was there before does not count
      const PerplexityResult found = perplexity(session, ids, {});
      EXPECT_EQ(found.n_windows, n_tokens / window);
      EXPECT_EQ(found.n_scored, n);
      EXPECT_NEAR(found.nll, sum / n, 1e-9);
      EXPECT_NEAR(found.perplexity, std::exp(sum / n), 1e-6);
      if (n > 1) {
        const double deviation = std::sqrt((squares / n - sum / n * sum / n) / (n - 1));
        EXPECT_NEAR(found.error, deviation * std::exp(sum / n), 1e-5 * found.error);
      } else {
        EXPECT_EQ(found.error, 0);
      }
    }
  }
}

TEST_F(PerplexityTest, ProgressSeesEveryWindowAndMayStop) {
  Session session(model_, {.n_ctx = 10});
  int calls = 0;
  const PerplexityResult found =
      perplexity(session, some_ids(45), [&](const PerplexityResult& so_far, int n_windows) {
        ++calls;
        EXPECT_EQ(so_far.n_windows, calls);
        EXPECT_EQ(so_far.n_scored, 4 * calls);
        EXPECT_EQ(n_windows, 4);
        return calls < 3;
      });
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(found.n_windows, 3);
}

TEST_F(PerplexityTest, ATextShorterThanAWindowIsAnError) {
  Session session(model_, {.n_ctx = 10});
  for (const int n : {0, 1, 9}) {
    expect_error([&] { perplexity(session, some_ids(n), {}); },
                 {"perplexity", "at least 10 tokens", "found " + std::to_string(n)});
  }
}

TEST_F(PerplexityTest, AWindowThatScoresNothingIsAnError) {
  for (const int window : {1, 2}) {
    Session session(model_, {.n_ctx = window});
    expect_error([&] { perplexity(session, some_ids(10), {}); },
                 {"perplexity", "at least 3 tokens", "found " + std::to_string(window)});
  }
}

}  // namespace
}  // namespace gptj
