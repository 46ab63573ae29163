#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "gptj/kl_divergence.h"

/// The file that KlBaseWriter writes: a header, and for each scored token a record (docs/research.md).
namespace gptj {

/// What a model predicts after one token. Log-probabilities are in nats.
struct Prediction {
  double log_likelihood = 0;  // of the token that follows
  int most_likely = 0;
  float top = 0;                 // the largest log-probability
  float step = 0;                // between levels
  std::vector<uint16_t> levels;  // [n_vocab]: log-probability = top - step * level

  Prediction() = default;
  Prediction(int id, std::span<const float> logits);

  double log_probability(size_t id) const { return double{top} - double{step} * levels[id]; }
};

/// The sizes in the base file of a text. Throws Error as perplexity_windows() does.
struct KlBaseLayout {
  explicit KlBaseLayout(const ScoredText& text);

  int64_t n_scored;
  uint64_t record_bytes;
  uint64_t file_bytes;
};

std::string kl_base_header(const ScoredText& text);
std::string kl_base_record(const Prediction& prediction);

/// Reads the predictions in order.
class KlBaseReader {
 public:
  /// Throws Error unless the file is a base of this text.
  KlBaseReader(const std::string& path, const ScoredText& text);

  /// The next one. Throws Error if it is damaged.
  Prediction next();

 private:
  const InputFile file_;
  const KlBaseLayout layout_;
  const int n_vocab_;
  int64_t n_read_ = 0;
};

}  // namespace gptj
