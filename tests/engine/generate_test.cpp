#include "gptj/generate.h"

#include <cstring>

#include "base/failure.h"
#include "engine/tiny_models.h"
#include "model/golden.h"
#include "sampling/sampling.h"

namespace gptj {
namespace {

using namespace test;

constexpr int kEndOfText = 256;  // in the tiny vocabularies

/// A GPT-J that likes one token far better than all others.
std::string write_single_minded(const TemporaryDirectory& directory, int token) {
  GgmlFile file = ggml_gptj(kTinyShape, DType::f16);
  const float liking = 1000;
  std::memcpy(file.tensor("lm_head.bias").data.data() + static_cast<size_t>(token) * sizeof liking, &liking,
              sizeof liking);
  return directory.file("model.bin", file.bytes());
}

class Generate : public testing::Test {
 protected:
  void use(const std::string& path, const SessionOptions& options = {}) {
    model_.emplace(path, LoadOptions{.n_threads = 2});
    session_.emplace(*model_, options);
  }

  GenerateResult run(const std::vector<int>& prompt, const GenerateOptions& options,
                     const SamplerOptions& sampler_options = {}, const GenerateCallbacks& callbacks = {}) {
    Sampler sampler(sampler_options, model_->tokenizer(), model_->info().n_vocab);
    return generate(*model_, *session_, sampler, prompt, options, callbacks);
  }

  TemporaryDirectory directory_;
  std::optional<Model> model_;
  std::optional<Session> session_;
};

TEST_F(Generate, StopsAfterAsManyTokensAsWereAskedFor) {
  use(write_tiny(directory_, "gpt2", DType::f16));
  const std::vector<int> prompt = some_ids(6, 256);
  for (const int n_predict : {0, 1, 5}) {
    session_->truncate(0);
    const GenerateResult result = run(prompt, {.n_predict = n_predict}, sampling({{"ignore-eos", 1}}));
    EXPECT_EQ(result.reason, StopReason::length);
    EXPECT_EQ(result.n_prompt, 6);
    EXPECT_EQ(result.n_generated, n_predict);
    EXPECT_EQ(result.n_evaluated, std::max(0, n_predict - 1));
    EXPECT_EQ(session_->n_past(), 6 + result.n_evaluated);
    ASSERT_EQ(result.tokens.size(), 6U + static_cast<size_t>(n_predict));
    EXPECT_TRUE(std::equal(prompt.begin(), prompt.end(), result.tokens.begin()));
    EXPECT_GT(result.prompt_ms, 0);
  }
}

TEST_F(Generate, StopsWhenTheContextIsFull) {
  use(write_tiny(directory_, "gptj", DType::f16), {.n_ctx = 16});
  for (const int n_prompt : {6, 16}) {
    session_->truncate(0);
    const GenerateResult result =
        run(some_ids(n_prompt, 256), {.n_predict = 100}, sampling({{"ignore-eos", 1}}));
    EXPECT_EQ(result.reason, StopReason::context_full);
    EXPECT_EQ(result.n_generated, 16 - n_prompt + 1);  // the last one has no room, but was drawn
    EXPECT_EQ(result.n_evaluated, 16 - n_prompt);
    EXPECT_EQ(session_->n_past(), 16);
  }
}

TEST_F(Generate, StopsAtTheEndOfText) {
  use(write_single_minded(directory_, kEndOfText));
  std::string shown;
  const GenerateCallbacks callbacks{.text = [&](std::string_view bytes) { return shown += bytes, true; }};
  GenerateResult result = run({'a', 'b'}, {.n_predict = 9}, {}, callbacks);
  EXPECT_EQ(result.reason, StopReason::end_of_text);
  EXPECT_EQ(result.tokens, (std::vector<int>{'a', 'b', kEndOfText}));
  EXPECT_EQ(result.n_generated, 1);
  EXPECT_EQ(result.n_evaluated, 0);
  EXPECT_EQ(shown, "ab");

  session_->truncate(0);
  result = run({'a', 'b'}, {.n_predict = 3, .stop_at_eos = false}, {}, callbacks);
  EXPECT_EQ(result.reason, StopReason::length);
  EXPECT_EQ(result.tokens, (std::vector<int>{'a', 'b', kEndOfText, kEndOfText, kEndOfText}));

  session_->truncate(0);
  result = run({'a', 'b'}, {.n_predict = 5}, sampling({{"ignore-eos", 1}}), callbacks);
  EXPECT_EQ(result.reason, StopReason::length);
  EXPECT_EQ(std::count(result.tokens.begin(), result.tokens.end(), kEndOfText), 0);
}

TEST_F(Generate, StopsWhenItsCallerSaysSo) {
  use(write_single_minded(directory_, 'x'));
  struct {
    const char* what;
    int false_after;      // pieces of text
    int cancelled_after;  // questions
    int n_generated;
    const char* shown;
  } const cases[] = {
      {"text: in the prompt", 1, 100, 0, "a"},
      {"text: later", 4, 100, 2, "abxx"},
      {"cancelled: before the first", 100, 0, 0, "ab"},
      {"cancelled: in the prompt", 100, 1, 0, "ab"},  // before the second layer
      {"cancelled: later", 100, 5, 3, "abxxx"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    session_->truncate(0);
    std::string shown;
    int asked = 0;
    const GenerateResult result = run({'a', 'b'}, {.n_predict = 50}, {},
                                      {.text =
                                           [&](std::string_view bytes) {
                                             return shown += bytes,
                                                    static_cast<int>(shown.size()) < c.false_after;
                                           },
                                       .cancelled = [&] { return asked++ >= c.cancelled_after; }});
    EXPECT_EQ(result.reason, StopReason::cancelled);
    EXPECT_EQ(result.n_generated, c.n_generated);
    EXPECT_EQ(result.tokens.size(), 2U + static_cast<size_t>(c.n_generated));
    EXPECT_EQ(shown, c.shown);
  }
}

TEST_F(Generate, ALongPromptCanBeCancelled) {
  ModelShape shape = kTinyShape;
  shape.n_ctx = 2000;
  shape.n_layer = 1;
  use(write_tiny(directory_, "gptj", DType::f16, shape));
  for (const int n_predict : {5, 0}) {
    session_->truncate(0);
    const GenerateResult result = run(some_ids(1900, 256), {.n_predict = n_predict}, {},
                                      {.text = {}, .cancelled = [] { return true; }});
    EXPECT_EQ(result.reason, StopReason::cancelled);
    EXPECT_EQ(result.n_generated, 0);
    EXPECT_EQ(session_->n_past(), 0);
  }
}

TEST_F(Generate, APromptThatDoesNotFitIsAnError) {
  use(write_tiny(directory_, "gptj", DType::f16), {.n_ctx = 16});
  expect_error([&] { run(some_ids(17, 256), {}); }, {"prompt", "at most 16 tokens", "found 17"});
  expect_error([&] { run({}, {}); }, {"prompt", "at least 1 token"});
}

TEST_F(Generate, StopTextsEndItAndAreNotShown) {
  use(write_single_minded(directory_, 'x'));
  std::string shown;
  const GenerateCallbacks callbacks{.text = [&](std::string_view bytes) { return shown += bytes, true; }};
  const GenerateResult result = run({'a', 'b'}, {.n_predict = 50, .stop = {"y", "xxx"}}, {}, callbacks);
  EXPECT_EQ(result.reason, StopReason::stop_text);
  EXPECT_EQ(result.stop, 1);
  EXPECT_EQ(result.n_generated, 3);
  EXPECT_EQ(shown, "ab");

  shown.clear();
  EXPECT_EQ(run({'a', 'b'}, {.n_predict = 2, .stop = {"xxx"}}, {}, callbacks).reason, StopReason::length);
  EXPECT_EQ(shown, "abxx");  // what waited was no stop text
  expect_error([&] { run({'a'}, {.stop = {""}}); }, {"stop text", "at least one byte"});
}

TEST_F(Generate, EndsWhenItsTimeIsUp) {
  use(write_single_minded(directory_, 'x'));
  const GenerateResult result = run({'a', 'b'}, {.n_predict = -1, .max_seconds = 1e-9});
  EXPECT_EQ(result.reason, StopReason::time);
  EXPECT_EQ(result.n_generated, 0);
}

TEST_F(Generate, WithoutANumberOfTokensItFillsTheContext) {
  use(write_single_minded(directory_, 'x'));
  const GenerateResult result = run({'a', 'b'}, {.n_predict = -1});
  EXPECT_EQ(result.reason, StopReason::context_full);
  EXPECT_EQ(session_->n_past(), session_->n_ctx());
}

TEST_F(Generate, WhatTheSessionHoldsOfThePromptIsNotEvaluatedAgain) {
  use(write_tiny(directory_, "gptj", DType::f16));
  const std::vector<int> prompt = some_ids(20, 256);
  const GenerateResult first = run(prompt, {.n_predict = 5, .stop_at_eos = false});
  EXPECT_EQ(first.n_reused, 0);
  EXPECT_EQ(run(prompt, {.n_predict = 5, .stop_at_eos = false}).n_reused, 19);  // logits after the last
  std::vector<int> other = first.tokens;
  other.push_back(7);
  EXPECT_EQ(run(other, {.n_predict = 0}).n_reused, 24);  // the last one was never evaluated
  other[10] ^= 1;
  const GenerateResult changed = run(other, {.n_predict = 5, .stop_at_eos = false});
  EXPECT_EQ(changed.n_reused, 10);
  EXPECT_EQ(session_->n_past(), 30);
}

TEST_F(Generate, TokensAreSeenWithTheirLogits) {
  use(write_single_minded(directory_, 'x'));
  std::vector<int> seen;
  const GenerateCallbacks callbacks{.token = [&](int id, std::span<const float> logits) {
    EXPECT_EQ(logits.empty(), seen.empty());  // nothing is before the first one
    seen.push_back(id);
  }};
  const GenerateResult result = run({'a', 'b', 'c'}, {.n_predict = 4, .prompt_logits = true}, {}, callbacks);
  EXPECT_EQ(seen, (std::vector<int>{'a', 'b', 'c', 'x', 'x', 'x', 'x'}));
  EXPECT_EQ(result.tokens, seen);
}

TEST_F(Generate, ShowsTheBytesOfAllTokens) {
  use(write_tiny(directory_, "gpt2", DType::q8_0));
  std::string shown;
  const GenerateResult result =
      run(some_ids(5, 256), {.n_predict = 30}, sampling({{"top-k", 0}, {"temp", 5}, {"ignore-eos", 1}}),
          {.text = [&](std::string_view bytes) { return shown += bytes, true; }, .cancelled = {}});
  EXPECT_EQ(shown, model_->tokenizer().decode(result.tokens));
}

TEST_F(Generate, TheSameSeedGivesTheSameTextForAnyThreadsAndBatch) {
  const std::string path = write_tiny(directory_, "gptj", DType::q4_0);
  std::vector<int> expected;
  for (const int n_threads : {1, 2, 3}) {
    for (const int n_batch : {1, 5, 512}) {
      use(path, {.n_threads = n_threads, .n_batch = n_batch});
      const GenerateResult result =
          run(some_ids(20, 256), {.n_predict = 40}, sampling({{"top-k", 0}, {"repeat-penalty", 1.1}}, 5));
      if (expected.empty()) expected = result.tokens;
      EXPECT_EQ(result.tokens, expected);
    }
  }
}

TEST_F(Generate, DemoModelsWriteWhatTheReferenceWrites) {
  int n_written = 0;
  for (const test::Golden& golden : goldens()) {
    if (golden.greedy.empty()) continue;
    for (const bool exact : {false, true}) {
      use(golden.model, {.exact = exact});
      const GenerateResult result =
          run(golden.ids, {.n_predict = static_cast<int>(golden.greedy.size())}, sampling({{"temp", 0}}));
      EXPECT_EQ(std::vector<int>(result.tokens.begin() + result.n_prompt, result.tokens.end()), golden.greedy)
          << golden.name;
    }
    ++n_written;
  }
  EXPECT_EQ(n_written, 2);
}

}  // namespace
}  // namespace gptj
