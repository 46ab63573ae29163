#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "gptj/sampler.h"
#include "sampling/float_loops.h"

namespace gptj {

/// The tokens that may still be drawn, and their logits: what samplers work on, one after the other. At first that is
/// the whole vocabulary, indexed by id without a list of ids; dropping tokens makes a list of those that stay. So all
/// work on the whole vocabulary is done in plain loops, and only few tokens are ever sorted. A token with a logit of
/// minus infinity is out, whether or not it has been dropped. All memory is taken by the constructor.
class Candidates {
 public:
  static constexpr float kOut = -std::numeric_limits<float>::infinity();

  explicit Candidates(size_t n_vocab);

  /// Begins anew with these tokens; see Sampler::sample(). Logits become finite, or kOut.
  void fill(std::span<const float> logits, std::span<const uint64_t> allowed);
  void fill_with(int id);  // with this token only

  size_t size() const { return size_; }
  int id(size_t i) const { return whole_ ? static_cast<int>(i) : ids_[i]; }
  std::span<const float> logits() const { return {logits_.data(), size_}; }
  /// The best logit. If it is kOut nothing remains, and the functions below must not be called.
  float max();

  /// e^(logit - max) of each candidate, and the sum of all: a candidate's probability is weight / total. Valid until
  /// something changes.
  std::span<const float> weights();
  double total();
  /// The entropy of the distribution, in nats.
  double entropy();
  /// The standard deviation of the logits.
  double logit_deviation() { return deviation_of(logits(), max()); }

  // These change a token's logit, if it is still a candidate.
  void add(int id, float logit);
  void ban(int id) { add(id, kOut); }
  /// logit > 0 ? logit / penalty : logit * penalty.
  void penalize(int id, float penalty);

  /// Takes the i-th candidate out.
  void drop(size_t i);

  /// Each logit becomes its distance from the best one times `factor`, which is finite.
  void scale(float factor);

  // These drop candidates, but keep at least the best one. Of equal ones the lower id is better.

  /// Keeps those whose logit reaches `bound`.
  void keep_above(float bound);
  /// Keeps the n > 0 best, in order.
  void keep_best(size_t n);
  /// Keeps the fewest, in the order of their keys (one for each candidate, the highest first), whose probabilities
  /// together reach `share`.
  void keep_share(std::span<const float> keys, double share);

  /// The logits of the n > 0 best, in order, or of all if there are fewer. Valid until something changes.
  std::span<const float> best_logits(size_t n);
  /// The last of these, found without sorting them.
  float nth_logit(size_t n);

  /// The index of the candidate at `point` in [0, 1) when their probabilities are laid side by side.
  size_t at(double point);
  /// All candidates with a probability above 0, the likeliest first.
  std::span<const Candidate> distribution();

 private:
  struct Picked {
    float key;
    int id;
    float logit;
  };

  float* find(int id);
  void changed();
  void keep_picked(size_t n);
  /// Puts into picked_ those whose key reaches a bound that at least n keys reach.
  void pick(std::span<const float> keys, size_t n);
  void sort_picked(size_t n);

  size_t size_ = 0;
  bool whole_ = true;
  std::vector<float> logits_;
  std::vector<int> ids_;       // unless whole_
  std::vector<size_t> where_;  // by id: its index, but only if ids_ has the id there
  bool where_known_ = false;

  bool max_known_ = false;
  float max_ = kOut;
  bool weights_known_ = false;
  std::vector<float> weights_;
  std::vector<double> block_totals_;  // of each kBlock weights
  double total_ = 0;

  std::vector<Picked> picked_;
  std::vector<float> scratch_;
  std::vector<Candidate> distribution_;
};

}  // namespace gptj
