#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace gptj {

/// What perplexity() scores: a text's tokens, cut into windows.
struct ScoredText {
  int n_vocab;
  int window;
  std::span<const int> ids;
};

/// Writes to a file, the base, what a model predicts at each scored token: 16 bits for each log-probability
/// (docs/research.md). It appears only when it is complete. Throws Error; also for a text as perplexity_windows() does, and if
/// the disk has no room for it.
class KlBaseWriter {
 public:
  KlBaseWriter(const std::string& path, const ScoredText& text);
  KlBaseWriter(KlBaseWriter&&) noexcept;
  KlBaseWriter& operator=(KlBaseWriter&&) noexcept;
  ~KlBaseWriter();  // without finish(): leaves no file

  /// The next scored token, as a ScoredToken sees it.
  void add(int id, std::span<const float> logits);
  /// After the last one. Returns the file's size in bytes.
  uint64_t finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// How far a model's predictions are from those of a base, P: over all scored tokens. Each error is a standard error.
struct KlResult {
  double mean = 0, error = 0;  // of the Kullback-Leibler divergence sum of P ln(P / Q), nats
  double median = 0, percentile_90 = 0, percentile_99 = 0, percentile_99_9 = 0, max = 0;  // of the same
  double same_top = 0, same_top_error = 0;  // share of tokens for which both find the same one most likely
  double delta_p = 0, delta_p_error = 0;    // mean of Q - P, the probabilities of the token that follows
  double delta_p_rms = 0;                   // root of the mean of its square
  double base_perplexity = 0;
  /// Of the perplexity to that of the base. The error is smaller than those of the two, which rise and fall with the same
  /// tokens.
  double ratio = 0, ratio_error = 0;
};

/// Compares a model with a base, token by token.
class KlDivergence {
 public:
  /// Throws Error if the base is damaged, or of another vocabulary, text or window.
  KlDivergence(const std::string& base, const ScoredText& text);
  KlDivergence(KlDivergence&&) noexcept;
  KlDivergence& operator=(KlDivergence&&) noexcept;
  ~KlDivergence();

  /// The next scored token, as a ScoredToken sees it. Throws Error if the base is damaged there.
  void add(int id, std::span<const float> logits);
  /// Of the tokens so far, at least one.
  KlResult result() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gptj
