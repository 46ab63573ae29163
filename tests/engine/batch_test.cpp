// Several texts at once: each must be the one that it is alone.

#include "gptj/batch.h"

#include <cstring>
#include <optional>

#include "base/failure.h"
#include "engine/tiny_models.h"
#include "sampling/sampling.h"

namespace gptj {
namespace {

using namespace test;

constexpr ModelShape kShape = {
    .n_vocab = 300, .n_ctx = 400, .n_embd = 32, .n_head = 2, .n_layer = 2, .n_rot = 8};

class BatchTest : public testing::Test {
 protected:
  void use(const std::string& architecture, const ModelShape& shape = kShape) {
    model_.emplace(write_tiny(directory_, architecture, DType::q4_0, shape), LoadOptions{.n_threads = 1});
  }

  /// What each text is alone, in a new session.
  std::vector<BatchResult> one_by_one(const std::vector<BatchText>& texts,
                                      const SessionOptions& session) const {
    std::vector<BatchResult> out;
    for (const BatchText& text : texts) {
      Session own(*model_, session);
      Sampler sampler(text.sampling, model_->tokenizer(), model_->info().n_vocab);
      BatchResult result;
      const GenerateCallbacks callbacks{
          .text = [&](std::string_view bytes) { return result.text += bytes, true; }};
      result.details = generate(*model_, own, sampler, text.prompt, text.options, callbacks);
      result.text.erase(0, model_->tokenizer().decode(text.prompt).size());
      out.push_back(std::move(result));
    }
    return out;
  }

  std::vector<BatchResult> together(const std::vector<BatchText>& texts,
                                    const SessionOptions& options) const {
    Session session(*model_, options);
    return together(texts, session);
  }

  std::vector<BatchResult> together(const std::vector<BatchText>& texts, Session& session) const {
    std::vector<BatchResult> out;
    generate_batch(*model_, session, texts, {.done = [&](size_t index, const BatchResult& result) {
      EXPECT_EQ(index, out.size());
      out.push_back(result);
    }});
    return out;
  }

  static void expect_same(const std::vector<BatchResult>& found, const std::vector<BatchResult>& expected) {
    ASSERT_EQ(found.size(), expected.size());
    for (size_t i = 0; i < found.size(); ++i) {
      SCOPED_TRACE(i);
      EXPECT_EQ(found[i].error, "");
      EXPECT_EQ(found[i].text, expected[i].text);
      const GenerateResult &a = found[i].details, &b = expected[i].details;
      EXPECT_EQ(a.tokens, b.tokens);
      EXPECT_EQ(a.reason, b.reason);
      EXPECT_EQ(a.stop, b.stop);
      EXPECT_EQ(a.n_prompt, b.n_prompt);
      EXPECT_EQ(a.n_generated, b.n_generated);
      EXPECT_EQ(a.n_evaluated, b.n_evaluated);
    }
  }

  TemporaryDirectory directory_;
  std::optional<Model> model_;
};

/// Different in all that texts differ in.
std::vector<BatchText> many_texts(int n) {
  std::vector<BatchText> texts;
  for (int i = 0; i < n; ++i) {
    const std::vector<int> ids = some_ids(340, 256);
    const int begin = i % 3 == 0 ? 0 : i, length = i % 5 == 4 ? 270 : 3 + 11 * i % 40;
    BatchText text{
        .prompt = {ids.begin() + begin, ids.begin() + begin + length},
        .sampling = sampling({{"top-k", 0}, {"temp", i % 4 == 3 ? 0 : 1.5}}, static_cast<uint64_t>(i))};
    text.options.n_predict = i % 7 == 6 ? 0 : i % 4 == 1 ? 1 : 5 + 7 * i % 30;
    if (i % 4 == 2) text.options.stop = {"a", "7"};
    texts.push_back(std::move(text));
  }
  return texts;
}

TEST_F(BatchTest, EachTextIsAsAlone) {
  for (const char* architecture : {"gptj", "gpt2"}) {
    use(architecture);
    const std::vector<BatchText> texts = many_texts(25);
    const std::vector<BatchResult> expected = one_by_one(texts, {.n_threads = 1});
    for (const int n_sequences : {1, 2, 5, 40}) {
      for (const int n_batch : {3, 512}) {
        expect_same(together(texts, {.n_threads = 1, .n_batch = n_batch, .n_sequences = n_sequences}),
                    expected);
      }
    }
  }
}

TEST_F(BatchTest, AnswersShareTheirPrompt) {
  use("gptj");
  std::vector<BatchText> texts;
  for (uint64_t seed = 5; seed < 13; ++seed) {
    texts.push_back({.prompt = some_ids(259, 256),
                     .sampling = sampling({{"top-k", 0}}, seed),
                     .options = {.n_predict = 20}});
  }
  const std::vector<BatchResult> expected = one_by_one(texts, {.n_threads = 1});
  const std::vector<BatchResult> found = together(texts, {.n_threads = 1, .n_sequences = 8});
  expect_same(found, expected);
  EXPECT_NE(found[0].text, found[1].text);
  EXPECT_EQ(found[0].details.n_reused, 0);
  for (size_t i = 1; i < 8; ++i) EXPECT_EQ(found[i].details.n_reused, 259);

  const std::vector<BatchResult> in_turn = together(texts, {.n_threads = 1, .n_sequences = 3});
  expect_same(in_turn, expected);
  EXPECT_EQ(in_turn[3].details.n_reused, 258);  // the prompt lies there still, but not the logits after it
}

TEST_F(BatchTest, BeginningsThatPromptsShareAreNotEvaluatedAgain) {
  use("gptj");
  const std::vector<int> ids = some_ids(300, 256);
  std::vector<BatchText> texts;
  for (const int n : {100, 290, 40, 291}) {
    texts.push_back({.prompt = {ids.begin(), ids.begin() + n}, .options = {.n_predict = 8}});
  }
  texts.push_back({.prompt = {7, 8, 9}, .options = {.n_predict = 8}});
  const std::vector<BatchResult> found = together(texts, {.n_threads = 1, .n_sequences = 2});
  expect_same(found, one_by_one(texts, {.n_threads = 1}));
  std::vector<int> reused;
  for (const BatchResult& result : found) reused.push_back(result.details.n_reused);
  EXPECT_EQ(reused, (std::vector<int>{0, 100, 39, 290, 0}));
}

TEST_F(BatchTest, GeneratedTokensAreNotTakenForAPrompt) {
  use("gptj");
  std::vector<BatchText> texts = {{.prompt = some_ids(20, 256),
                                   .sampling = sampling({{"temp", 0}}),
                                   .options = {.n_predict = 10, .stop_at_eos = false}}};
  const std::vector<int> whole = one_by_one(texts, {.n_threads = 1})[0].details.tokens;
  texts.push_back({.prompt = whole, .options = {.n_predict = 10}});
  const std::vector<BatchResult> found = together(texts, {.n_threads = 1});
  expect_same(found, one_by_one(texts, {.n_threads = 1}));
  EXPECT_EQ(found[1].details.n_reused, 20);
}

TEST_F(BatchTest, PromptsThatAreReadBothWaysShareNothingButThemselves) {
  use("gptj");
  const std::vector<int> ids = some_ids(40, 256);
  std::vector<BatchText> texts;
  for (const int n : {20, 20, 30})
    texts.push_back({.prompt = {ids.begin(), ids.begin() + n}, .options = {.n_predict = 9}});
  texts[1].sampling.seed = 1;
  const SessionOptions options{.n_threads = 1, .n_sequences = 3, .prefix_lm = true};
  const std::vector<BatchResult> found = together(texts, options);
  expect_same(found, one_by_one(texts, options));
  EXPECT_EQ(found[1].details.n_reused, 20);
  EXPECT_EQ(found[2].details.n_reused, 0);
}

TEST_F(BatchTest, ContextsThatAreFullEndOrShift) {
  for (const char* architecture : {"gptj", "gpt2"}) {
    use(architecture);
    std::vector<BatchText> texts;
    for (int i = 0; i < 8; ++i) {
      BatchText text{.prompt = some_ids(10 + i, 256),
                     .sampling = sampling({{"top-k", 0}}, static_cast<uint64_t>(i))};
      text.options = {.n_predict = i == 7 ? -1 : 60, .stop_at_eos = false, .shift = i % 2 == 0, .n_keep = i};
      texts.push_back(std::move(text));
    }
    const SessionOptions options{.n_ctx = 32, .n_threads = 1, .n_sequences = 3};
    const std::vector<BatchResult> found = together(texts, options);
    expect_same(found, one_by_one(texts, options));
    EXPECT_EQ(found[0].details.reason, StopReason::length);
    EXPECT_EQ(found[1].details.reason, StopReason::context_full);
  }
}

TEST_F(BatchTest, WhatIsWrongWithATextIsItsResult) {
  use("gptj");
  std::vector<BatchText> texts = many_texts(8);
  texts[0].prompt = {};
  texts[2].prompt = some_ids(401, 256);
  texts[3].prompt = {1, 300, 2};
  texts[5].sampling.set("logit-bias", std::string_view("300+1"));
  texts[6].options.stop = {""};
  const std::vector<std::string> words = {"at least 1 token", "", "at most 400 tokens", "token id", "", "300",
                                          "stop text",        ""};
  for (const int n_sequences : {1, 3}) {
    const std::vector<BatchResult> found = together(texts, {.n_threads = 1, .n_sequences = n_sequences});
    ASSERT_EQ(found.size(), 8U);
    for (size_t i = 0; i < 8; ++i) {
      EXPECT_EQ(found[i].error.empty(), words[i].empty()) << i << ": " << found[i].error;
      EXPECT_NE(found[i].error.find(words[i]), std::string::npos) << found[i].error;
      if (words[i].empty()) expect_same({found[i]}, one_by_one({texts[i]}, {.n_threads = 1}));
    }
  }
}

TEST_F(BatchTest, TheSessionMayHoldAnything) {
  use("gptj");
  const std::vector<BatchText> texts = many_texts(6);
  Session session(*model_, {.n_threads = 1, .n_sequences = 2});
  const std::vector<BatchResult> first = together(texts, session);
  const std::vector<int> prompt = texts[1].prompt;
  session.truncate(0, 1);
  session.fork(1, 0);
  for (const int id : prompt) session.decode(id);  // looks like the prompt, but has other bits
  expect_same(together(texts, session), first);
}

TEST_F(BatchTest, CancelledTextsAreDeliveredAsFarAsTheyAre) {
  use("gptj");
  std::vector<BatchText> texts;
  for (const int n : {50, 3, 50, 50}) {
    texts.push_back({.prompt = some_ids(10, 256), .options = {.n_predict = n, .stop_at_eos = false}});
  }
  int asked = 0;
  std::vector<BatchResult> found;
  Session session(*model_, {.n_threads = 1, .n_sequences = 2});
  generate_batch(*model_, session, texts,
                 {.done = [&](size_t, const BatchResult& result) { found.push_back(result); },
                  .cancelled = [&] { return ++asked > 60; }});
  ASSERT_EQ(found.size(), 3U);  // the last one never began
  EXPECT_EQ(found[0].details.reason, StopReason::cancelled);
  EXPECT_GT(found[0].details.n_generated, 5);
  EXPECT_LT(found[0].details.n_generated, 50);
  EXPECT_EQ(found[1].details.reason, StopReason::length);
  EXPECT_EQ(found[2].details.reason, StopReason::cancelled);

  found.clear();
  generate_batch(*model_, session, texts,
                 {.done = [&](size_t, const BatchResult& result) { found.push_back(result); },
                  .cancelled = [] { return true; }});
  EXPECT_TRUE(found.empty());
}

TEST_F(BatchTest, NoTextsAreNoWork) {
  use("gptj");
  EXPECT_TRUE(together({}, {.n_threads = 1}).empty());
}

}  // namespace
}  // namespace gptj
