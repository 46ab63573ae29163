#include "gptj/drafter.h"

#include <optional>

#include "base/failure.h"
#include "engine/tiny_models.h"
#include "model/golden.h"
#include "sampling/sampling.h"

namespace gptj {
namespace {

using namespace test;

/// Guesses what `text` says, but every `wrong_every`-th token wrong.
class Oracle : public Drafter {
 public:
  Oracle(std::vector<int> text, size_t wrong_every) : text_(std::move(text)), wrong_every_(wrong_every) {}

  std::span<const int> guess(std::span<const int> text, int n_max, GrammarMatcher*) override {
    guesses_.clear();
    for (size_t i = text.size(); i < text_.size() && guesses_.size() < static_cast<size_t>(n_max); ++i) {
      guesses_.push_back(wrong_every_ > 0 && i % wrong_every_ == 0 ? (text_[i] + 1) % 256 : text_[i]);
    }
    return guesses_;
  }

 private:
  std::vector<int> text_, guesses_;
  size_t wrong_every_;
};

void check_same(const Model& model, const Model& draft) {
  check_same_vocabulary(model.info(), model.tokenizer(), draft.info(), draft.tokenizer());
}

class Speculation : public testing::Test {
 protected:
  GenerateResult run(const Model& model, const SamplerOptions& sampler_options, Drafter* drafter,
                     const SessionOptions& options = {}, const std::optional<Grammar>& grammar = {}) {
    Session session(model, options);
    Sampler sampler(sampler_options, model.tokenizer(), model.info().n_vocab);
    GenerateOptions generate_options{.n_predict = 60, .stop_at_eos = false, .grammar = grammar};
    GenerateResult result =
        generate(model, session, sampler, some_ids(12, 256), generate_options, {}, drafter);
    EXPECT_EQ(session.n_past() + 1, static_cast<int>(result.tokens.size()));
    EXPECT_TRUE(std::equal(session.tokens().begin(), session.tokens().end(), result.tokens.begin()));
    return result;
  }

  TemporaryDirectory directory_;
};

TEST_F(Speculation, WritesTheSameTextWhateverIsGuessed) {
  for (const char* architecture : {"gptj", "gpt2"}) {
    for (const DType dtype : {DType::f16, DType::q4_0}) {
      const Model model(write_tiny(directory_, architecture, dtype));
      for (const SamplerOptions& options :
           {sampling({{"temp", 0}}),
            sampling({{"top-k", 0}, {"top-p", 1}, {"temp", 1.5}, {"repeat-penalty", 1.2}}, 3)}) {
        const GenerateResult plain = run(model, options, nullptr);
        ASSERT_EQ(plain.n_generated, 60);
        for (const size_t wrong_every : {0u, 1u, 2u, 5u}) {
          Oracle oracle(plain.tokens, wrong_every);
          const GenerateResult result = run(model, options, &oracle, {.n_batch = 7});
          EXPECT_EQ(result.tokens, plain.tokens) << architecture << ", wrong every " << wrong_every;
          EXPECT_GT(result.n_guessed, 0);
          EXPECT_EQ(result.n_accepted == result.n_guessed, wrong_every == 0);
          EXPECT_TRUE(wrong_every != 1 || result.n_accepted == 0);
        }
      }
    }
  }
}

TEST_F(Speculation, TheDemoModelsHaveTheSameTextWithLookupAndWithEachOther) {
  const Model gptj(GPTJ_DEMO_MODELS "/gpt-j"), gpt2(GPTJ_DEMO_MODELS "/gpt-2");
  check_same(gptj, gpt2);
  for (const double temperature : {0.0, 0.8}) {
    const SamplerOptions options = sampling({{"temp", temperature}}, 11);
    const GenerateResult plain = run(gptj, options, nullptr);
    LookupDrafter lookup;
    const GenerateResult looked_up = run(gptj, options, &lookup);
    EXPECT_EQ(looked_up.tokens, plain.tokens);
    ModelDrafter drafter(gpt2, {}, options);
    const GenerateResult drafted = run(gptj, options, &drafter);
    EXPECT_EQ(drafted.tokens, plain.tokens);
    EXPECT_GT(drafted.n_accepted, 0);
    ModelDrafter itself(gptj, {}, options);
    const GenerateResult own = run(gptj, options, &itself);
    EXPECT_EQ(own.tokens, plain.tokens);
    // What decode() and prefill() compute may differ in the last bits, and with them a draw.
    EXPECT_GE(own.n_accepted, own.n_guessed * 9 / 10);
  }
}

/// Notes what of its guesses is worth a pass.
class Following : public Drafter {
 public:
  explicit Following(Drafter& drafter) : drafter_(drafter) {}

  void read(std::span<const int> text) override {
    n_read_ = text.size();
    drafter_.read(text);
  }

  std::span<const int> guess(std::span<const int> text, int n_max, GrammarMatcher* grammar) override {
    EXPECT_EQ(n_read_, text.size());
    const std::span<const int> guesses = drafter_.guess(text, n_max, grammar);
    n_guessed += static_cast<int>(guesses.size());
    return guesses;
  }

  int n_guessed = 0;

 private:
  Drafter& drafter_;
  size_t n_read_ = 0;
};

TEST_F(Speculation, GuessesFollowTheGrammar) {
  const Model gptj(GPTJ_DEMO_MODELS "/gpt-j");
  // What it would not write by itself, so that a draft without the grammar, even the same model, is never right.
  const Grammar grammar = Grammar::regex("([A-Z][0-9]{3} ){40}");
  for (const double temperature : {0.0, 0.8}) {
    const SamplerOptions options = sampling({{"temp", temperature}}, 11);
    const GenerateResult plain = run(gptj, options, nullptr, {}, grammar);
    ModelDrafter drafter(gptj, {}, options);
    Following following(drafter);
    const GenerateResult drafted = run(gptj, options, &following, {}, grammar);
    EXPECT_EQ(drafted.tokens, plain.tokens);
    EXPECT_GT(drafted.n_accepted, 0);
    EXPECT_EQ(drafted.n_guessed, following.n_guessed);  // none was dropped
    LookupDrafter lookup;
    EXPECT_EQ(run(gptj, options, &lookup, {}, grammar).tokens, plain.tokens);
  }
}

TEST_F(Speculation, WhatTheGrammarForbidsIsNotEvaluated) {
  const Model model(GPTJ_DEMO_MODELS "/gpt-j");
  const SamplerOptions greedy = sampling({{"temp", 0}});
  const Grammar grammar = Grammar::regex("[0-9 ]{100}");
  const GenerateResult plain = run(model, greedy, nullptr, {}, grammar);
  std::vector<int> letters(plain.tokens.size(), model.tokenizer().encode("a").front());
  Oracle oracle(letters, 0);
  const GenerateResult result = run(model, greedy, &oracle, {}, grammar);
  EXPECT_EQ(result.tokens, plain.tokens);
  EXPECT_EQ(result.n_guessed, 0);
}

TEST_F(Speculation, ADraftDoesNotGuessBehindTokensThatItLacks) {
  ModelShape small = kTinyShape;
  small.n_vocab = 260;
  const Model draft(write_tiny(directory_, "gpt2", DType::f16, small));
  ModelDrafter drafter(draft, {}, sampling({{"temp", 0}}));
  EXPECT_EQ(drafter.guess(std::vector<int>{1, 2, 259}, 3, nullptr).size(), 3U);
  EXPECT_TRUE(drafter.guess(std::vector<int>{1, 2, 259, 260, 3}, 3, nullptr).empty());
}

TEST_F(Speculation, ADraftWithAnotherVocabularyIsRefusedWithTheDifference) {
  const Model model(write_tiny(directory_, "gptj", DType::f16)), demo(GPTJ_DEMO_MODELS "/gpt-2");
  expect_error([&] { check_same(model, demo); }, {"draft model", "vocabulary", "token "});
  ModelShape larger = kTinyShape;
  larger.n_vocab = 400;
  const Model more(write_tiny(directory_, "gpt2", DType::f16, larger));
  expect_error([&] { check_same(model, more); }, {"at most 300 tokens", "found 400"});
}

TEST(LookupDrafter, GuessesWhatFollowedTheLongestAndLatestEqualTokens) {
  LookupDrafter lookup;
  const auto guess = [&](std::vector<int> text, int n_max = 3) {
    const std::span<const int> guesses = lookup.guess(text, n_max, nullptr);
    return std::vector<int>(guesses.begin(), guesses.end());
  };
  using Ids = std::vector<int>;
  EXPECT_EQ(guess({}), Ids{});
  EXPECT_EQ(guess({1, 2, 3}), Ids{});
  EXPECT_EQ(guess({1, 9, 1}), Ids{});  // one token is not enough
  EXPECT_EQ(guess({1, 2, 3, 4, 5, 1, 2}), (Ids{3, 4, 5}));
  EXPECT_EQ(guess({1, 2, 3, 4, 5, 1, 2}, 1), Ids{3});
  EXPECT_EQ(guess({1, 2, 3, 0, 1, 2, 4, 0, 1, 2}), (Ids{4, 0, 1}));     // the latest
  EXPECT_EQ(guess({7, 1, 2, 3, 0, 1, 2, 4, 7, 1, 2}), (Ids{3, 0, 1}));  // the longest
  EXPECT_EQ(guess({5, 5, 5}), Ids{5});
}

}  // namespace
}  // namespace gptj
