#include "gptj/kl_divergence.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/failure.h"
#include "base/file.h"
#include "engine/tiny_models.h"
#include "gptj/log_softmax.h"
#include "gptj/perplexity.h"
#include "measure/kl_base.h"

namespace gptj {
namespace {

using namespace test;

constexpr int kVocab = 50;
constexpr int kWindow = 5;  // of which two tokens are scored

/// The logits that some model has after the token `at`.
std::vector<float> some_logits(int model, int at) {
  std::vector<float> logits;
  for (int i = 0; i < kVocab; ++i) {
    logits.push_back(static_cast<float>(std::sin(i * (at + 3)) * 4 + model * std::cos(i * 7 + at)));
  }
  return logits;
}

class KlBase : public testing::Test {
 protected:
  /// The scored tokens' positions.
  std::vector<int> scored() const {
    std::vector<int> positions;
    for (int begin = 0; begin + kWindow <= std::ssize(ids); begin += kWindow) {
      for (int i = kWindow / 2; i + 1 < kWindow; ++i) positions.push_back(begin + i);
    }
    return positions;
  }

  void write() const {
    KlBaseWriter writer(path, text);
    for (const int at : scored()) writer.add(ids[static_cast<size_t>(at) + 1], some_logits(0, at));
    const uint64_t bytes = writer.finish();
    EXPECT_EQ(bytes, std::filesystem::file_size(path));
  }

  KlResult compare(int model) const {
    KlDivergence divergence(path, text);
    for (const int at : scored()) divergence.add(ids[static_cast<size_t>(at) + 1], some_logits(model, at));
    return divergence.result();
  }

  TemporaryDirectory directory;
  const std::string path = directory / "base.kl";
  const std::vector<int> ids = some_ids(53, kVocab);
  const ScoredText text{kVocab, kWindow, ids};
};

TEST_F(KlBase, OfTheSameModelNothingDiffers) {
  write();
  const KlResult same = compare(0);
  EXPECT_GE(same.mean, 0);
  EXPECT_LT(same.max, 1e-8);  // what 16 bits lose
  EXPECT_EQ(same.same_top, 1);
  EXPECT_EQ(same.delta_p, 0);
  EXPECT_EQ(same.ratio, 1);
  EXPECT_EQ(same.ratio_error, 0);
}

TEST_F(KlBase, IsThatOfTheLogits) {
  write();
  const KlResult found = compare(2);
  std::vector<double> divergences;
  double sum = 0, n_same = 0, change = 0, change_squares = 0, base = 0, more = 0;
  for (const int at : scored()) {
    const std::vector<float> p = some_logits(0, at), q = some_logits(2, at);
    double divergence = 0;
    for (int i = 0; i < kVocab; ++i) {
      divergence += std::exp(log_likelihood(p, i)) * (log_likelihood(p, i) - log_likelihood(q, i));
    }
    divergences.push_back(divergence);
    sum += divergence;
    n_same += most_likely(p) == most_likely(q) ? 1 : 0;
    const int next = ids[static_cast<size_t>(at) + 1];
    const double difference = std::exp(log_likelihood(q, next)) - std::exp(log_likelihood(p, next));
    change += difference;
    change_squares += difference * difference;
    base -= log_likelihood(p, next);
    more += log_likelihood(p, next) - log_likelihood(q, next);
  }
  const auto n = static_cast<double>(divergences.size());
  ASSERT_EQ(n, 20);
  std::sort(divergences.begin(), divergences.end());
  double squares = 0;
  for (const double divergence : divergences) squares += std::pow(divergence - sum / n, 2);
  constexpr double kNear = 5e-5;  // 16 bits for each log-probability
  EXPECT_NEAR(found.mean, sum / n, kNear);
  EXPECT_NEAR(found.error, std::sqrt(squares / n / (n - 1)), kNear);
  EXPECT_NEAR(found.median, (divergences[9] + divergences[10]) / 2, kNear);
  EXPECT_NEAR(found.percentile_90, divergences[17] + 0.1 * (divergences[18] - divergences[17]), kNear);
  EXPECT_NEAR(found.percentile_99, divergences[18] + 0.81 * (divergences[19] - divergences[18]), kNear);
  EXPECT_NEAR(found.percentile_99_9, divergences[18] + 0.981 * (divergences[19] - divergences[18]), kNear);
  EXPECT_NEAR(found.max, divergences[19], kNear);
  EXPECT_GT(n_same, 0);
  EXPECT_LT(n_same, n);
  EXPECT_DOUBLE_EQ(found.same_top, n_same / n);
  EXPECT_NEAR(found.same_top_error, std::sqrt(n_same / n * (1 - n_same / n) / (n - 1)), 1e-12);
  EXPECT_NEAR(found.delta_p, change / n, 1e-12);
  EXPECT_NEAR(found.delta_p_error, std::sqrt((change_squares / n - std::pow(change / n, 2)) / (n - 1)),
              1e-12);
  EXPECT_NEAR(found.delta_p_rms, std::sqrt(change_squares / n), 1e-12);
  EXPECT_NEAR(found.base_perplexity, std::exp(base / n), 1e-9);
  EXPECT_NEAR(found.ratio, std::exp(more / n), 1e-9);
  EXPECT_GT(found.ratio_error, 0);
}

TEST_F(KlBase, LogProbabilitiesKeepSixteenBits) {
  const std::vector<float> logits = {-3e38f, 5, 3e38f};
  const Prediction wide(1, logits);
  EXPECT_EQ(wide.most_likely, 2);
  EXPECT_EQ(wide.log_probability(2), 0);
  EXPECT_NEAR(wide.log_probability(0), -6e38, 6e38 * 1e-5);
  const Prediction flat(0, std::vector<float>(8, 7.f));
  EXPECT_EQ(flat.step, 0);
  EXPECT_NEAR(flat.log_probability(5), -std::log(8.0), 1e-7);
  const std::vector<float> usual = some_logits(1, 4);
  const Prediction prediction(3, usual);
  EXPECT_EQ(prediction.log_likelihood, log_likelihood(usual, 3));
  for (int i = 0; i < kVocab; ++i) {
    EXPECT_NEAR(prediction.log_probability(static_cast<size_t>(i)), log_likelihood(usual, i), 2e-4);
  }
}

TEST_F(KlBase, ABaseOfSomethingElseIsRefused) {
  write();
  std::vector<int> other = ids;
  other[7] ^= 1;
  const std::span all(ids);
  EXPECT_NO_THROW(
      KlDivergence(path, {kVocab, kWindow, all.first(51)}));  // what makes no window does not count
  const auto refused = [&](const ScoredText& of, const std::vector<std::string>& words) {
    expect_error([&] { KlDivergence(path, of); }, words);
  };
  refused({kVocab + 1, kWindow, ids}, {path, "vocabulary", "expected 51", "found 50"});
  refused({kVocab, kWindow + 1, ids}, {path, "window", "expected 6", "found 5"});
  refused({kVocab, kWindow, all.first(49)}, {path, "another text", "expected 9", "found 10"});
  refused({kVocab, kWindow, other}, {path, "another text", "checksum"});
}

TEST_F(KlBase, ADamagedFileIsRefused) {
  write();
  const std::string good = read_text_file(path, 1 << 20);
  const auto error_with = [&](const std::string& bytes) {
    directory.file("base.kl", bytes);
    return error_of([&] { compare(0); });
  };
  EXPECT_EQ(error_with(good), "");
  for (size_t at = 0; at < good.size(); at += at < 200 ? 1 : 41) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 4);
    const std::string error = error_with(bad);
    EXPECT_NE(error.find(path), std::string::npos) << at << ": " << error;
    EXPECT_NE(error.find("expected"), std::string::npos) << at << ": " << error;
    EXPECT_NE(error.find("found"), std::string::npos) << at << ": " << error;
  }
  for (const size_t size : {size_t{0}, size_t{7}, size_t{8}, size_t{31}, size_t{32}, good.size() - 1}) {
    EXPECT_NE(error_with(good.substr(0, size)), "") << size;
  }
  EXPECT_NE(error_with(good + "x").find("appended"), std::string::npos);
  std::string newer = good;
  newer[8] = 2;
  EXPECT_NE(error_with(newer).find("version of the base: expected 1, found 2"), std::string::npos);
}

TEST_F(KlBase, AppearsWhenItIsComplete) {
  { KlBaseWriter writer(path, text); }
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
  expect_error([] { KlBaseWriter("/nowhere/base.kl", {kVocab, 3, std::vector{1, 2, 3}}); }, {"/nowhere"});
  expect_error([&] { KlBaseWriter(path, {kVocab, 60, ids}); }, {"at least 60 tokens", "found 53"});
}

TEST_F(KlBase, PerplexityShowsWhatItScores) {
  const Model model(write_tiny(directory, "gpt2", DType::f16));
  Session session(model, {.n_ctx = 20});
  const std::vector<int> tokens = some_ids(65);
  std::vector<int> seen;
  double sum = 0;
  const PerplexityResult result = perplexity(session, tokens, {}, [&](int id, std::span<const float> logits) {
    seen.push_back(id);
    sum -= log_likelihood(logits, id);
  });
  std::vector<int> expected;
  for (int begin = 0; begin < 60; begin += 20) {
    expected.insert(expected.end(), tokens.begin() + begin + 11, tokens.begin() + begin + 20);
  }
  EXPECT_EQ(seen, expected);
  EXPECT_NEAR(result.nll, sum / static_cast<double>(seen.size()), 1e-12);
}

}  // namespace
}  // namespace gptj
