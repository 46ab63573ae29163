// Beam search, against what transformers finds: tools/make_golden_beams.py.

#include "gptj/beams.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/failure.h"
#include "base/file.h"
#include "engine/tiny_models.h"
#include "sampling/sampling.h"

namespace gptj {
namespace {

using namespace test;

constexpr double kScore = 3e-5;  // relative; the golden has five decimals of sums of F32 numbers

EarlyStopping early_stopping(const nlohmann::json& value) {
  if (value.is_string()) return EarlyStopping::never;
  return value.get<bool>() ? EarlyStopping::yes : EarlyStopping::no;
}

TEST(Beams, AgreeWithTheReference) {
  const auto golden = nlohmann::json::parse(read_text_file(GPTJ_TEST_DATA "/beams.json", 1 << 20));
  ASSERT_GT(golden.size(), 100U);
  std::optional<Model> model;
  for (const auto& expected : golden) {
    const std::string path = GPTJ_TEST_DATA "/../../" + expected["model"].get<std::string>();
    if (!model || model->info().path != path) model.emplace(path, LoadOptions{.n_threads = 1});
    nlohmann::json what = expected;
    for (const char* result : {"texts", "scores"}) what.erase(result);
    SCOPED_TRACE(what.dump());
    const BeamOptions options{.n_beams = expected["n_beams"],
                              .n_best = expected["n_beams"],
                              .n_predict = expected["n_predict"],
                              .end_token = expected["end_token"],
                              .length_penalty = expected["length_penalty"],
                              .early_stopping = early_stopping(expected["early_stopping"])};
    Session session(
        *model,
        {.n_ctx = 32, .n_threads = 1, .n_sequences = options.n_beams, .kv_type = KvType::f32, .exact = true});
    const BeamResult found = search_beams(*model, session, expected["ids"].get<std::vector<int>>(), options);
    ASSERT_EQ(found.beams.size(), static_cast<size_t>(options.n_beams));
    for (size_t i = 0; i < found.beams.size(); ++i) {
      EXPECT_EQ(found.beams[i].tokens, expected["texts"][i].get<std::vector<int>>());
      const double score = expected["scores"][i];
      EXPECT_NEAR(found.beams[i].score, score, kScore * std::max(1.0, std::abs(score)));
    }
  }
}

class SmallBeams : public testing::Test {
 protected:
  SmallBeams() : model_(write_tiny(directory_, "gptj", DType::f16), {.n_threads = 1}) {}

  BeamResult search(const BeamOptions& options, SessionOptions session = {}, int n_prompt = 5) const {
    session.n_threads = 1;
    if (session.n_sequences == 1) session.n_sequences = options.n_beams;
    Session own(model_, session);
    return search_beams(model_, own, some_ids(n_prompt, 256), options);
  }

  TemporaryDirectory directory_;
  Model model_;
};

TEST_F(SmallBeams, OneIsGreedy) {
  Session session(model_, {.n_threads = 1});
  Sampler sampler(sampling({{"temp", 0}}), model_.tokenizer(), model_.info().n_vocab);
  const std::vector<int> prompt = some_ids(5, 256);
  const std::vector<int> greedy =
      generate(model_, session, sampler, prompt, {.n_predict = 12, .stop_at_eos = false}, {}).tokens;
  const BeamResult found = search({.n_beams = 1, .n_predict = 12});
  ASSERT_EQ(found.beams.size(), 1U);
  EXPECT_EQ(found.beams[0].tokens, std::vector<int>(greedy.begin() + 5, greedy.end()));
  EXPECT_EQ(found.beams[0].reason, StopReason::length);
  EXPECT_EQ(found.n_evaluated, 11);
}

TEST_F(SmallBeams, ScoresFallAndTextsDiffer) {
  const std::vector<Beam> beams = search({.n_beams = 6, .n_best = 4, .n_predict = 10}).beams;
  ASSERT_EQ(beams.size(), 4U);
  for (size_t i = 1; i < beams.size(); ++i) {
    EXPECT_LE(beams[i].score, beams[i - 1].score);
    EXPECT_NE(beams[i].tokens, beams[i - 1].tokens);
  }
}

TEST_F(SmallBeams, ScoresAreSumsOfLogProbabilities) {
  const Beam best = search({.n_beams = 3, .n_predict = 6, .length_penalty = 2}, {.exact = true}).beams[0];
  std::vector<int> ids = some_ids(5, 256);
  ids.insert(ids.end(), best.tokens.begin(), best.tokens.end());
  Session session(model_, {.n_threads = 1, .exact = true});
  double log_p = 0;
  session.prefill_each(ids, [&](int index, std::span<const float> logits) {
    if (index < 4 || index + 1 == static_cast<int>(ids.size())) return;
    double sum = 0;
    for (const float logit : logits) sum += std::exp(static_cast<double>(logit));
    log_p +=
        static_cast<double>(logits[static_cast<size_t>(ids[static_cast<size_t>(index) + 1])]) - std::log(sum);
  });
  EXPECT_NEAR(best.score, log_p / 36, 1e-5);
}

TEST_F(SmallBeams, TheContextIsFilledWithoutANumberOfTokens) {
  for (const int n_predict : {-1, 100}) {
    const BeamResult found = search({.n_beams = 2, .n_predict = n_predict}, {.n_ctx = 16});
    EXPECT_EQ(found.beams[0].reason, StopReason::context_full);
    EXPECT_EQ(found.beams[0].tokens.size(), 12U);  // the last one has no room, but was chosen
  }
  EXPECT_EQ(search({.n_beams = 2, .n_predict = 12}, {.n_ctx = 16}).beams[0].reason, StopReason::length);
}

TEST_F(SmallBeams, WhatIsBannedIsNeverTaken) {
  const BeamOptions options{.n_beams = 2, .n_predict = 8};
  const std::vector<int> free = search(options).beams[0].tokens;
  BeamOptions without = options;
  without.banned_token = free[0];
  for (const Beam& beam : search(without).beams) {
    EXPECT_EQ(std::count(beam.tokens.begin(), beam.tokens.end(), free[0]), 0);
  }
}

TEST_F(SmallBeams, WhatTheSessionHoldsIsForgotten) {
  Session session(model_, {.n_threads = 1, .n_sequences = 4});
  const BeamOptions options{.n_beams = 3, .n_best = 3, .n_predict = 10};
  const std::vector<int> prompt = some_ids(5, 256);
  const std::vector<Beam> first = search_beams(model_, session, prompt, options).beams;
  const std::vector<Beam> second = search_beams(model_, session, prompt, options).beams;
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(first[i].tokens, second[i].tokens);
}

TEST_F(SmallBeams, ASearchCanBeCancelled) {
  Session session(model_, {.n_threads = 1, .n_sequences = 3});
  int asked = 0;
  const BeamResult found =
      search_beams(model_, session, some_ids(5, 256), {.n_beams = 3, .n_best = 2, .n_predict = 50},
                   [&] { return ++asked > 6; });
  ASSERT_EQ(found.beams.size(), 2U);
  EXPECT_EQ(found.beams[0].reason, StopReason::cancelled);
  EXPECT_GT(found.beams[0].tokens.size(), 0U);
  EXPECT_LT(found.beams[0].tokens.size(), 50U);
  EXPECT_TRUE(
      search_beams(model_, session, some_ids(5, 256), {.n_beams = 3}, [] { return true; }).beams.empty());
}

TEST_F(SmallBeams, NoTokensAreOneEmptyText) {
  const BeamResult found = search({.n_beams = 2, .n_predict = 0});
  ASSERT_EQ(found.beams.size(), 1U);
  EXPECT_TRUE(found.beams[0].tokens.empty());
}

TEST_F(SmallBeams, OptionsOutOfRangeAreErrors) {
  expect_error([&] { search({.n_beams = 0}, {.n_sequences = 2}); }, {"beams", "1 to 2", "found 0"});
  expect_error([&] { search({.n_beams = 3}, {.n_sequences = 2}); }, {"beams", "1 to 2", "found 3"});
  expect_error([&] { search({.n_beams = 151}); }, {"beams", "1 to 150", "found 151"});  // half the vocabulary
  expect_error([&] { search({.n_beams = 2, .n_best = 3}); }, {"best texts", "1 to 2", "found 3"});
  expect_error([&] { search({.n_beams = 2}, {.n_ctx = 4}); }, {"prompt", "at most 4 tokens"});
  expect_error([&] { search({.n_beams = 2, .length_penalty = INFINITY}); }, {"length penalty"});
}

}  // namespace
}  // namespace gptj
