#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "gptj/sampler.h"
#include "sampling/float_loops.h"

namespace gptj {

/// The tokens that may still be drawn, and their logits: what samplers work on, one after the other. At first
/// that is the whole vocabulary, with the id as index, and no list of ids is kept; whatever drops tokens
/// makes a list of those that stay. So all work on the whole is in plain loops, and all that sorts is on few.
/// A token with a logit of minus infinity is out, whether or not it has been dropped. Takes all memory at
/// once.
class Candidates {
 public:
  static constexpr float kOut = -std::numeric_limits<float>::infinity();

  explicit Candidates(size_t n_vocab);

  /// Begins anew; see Sampler::sample(). Logits become finite, or kOut.
  void fill(std::span<const float> logits, std::span<const uint64_t> allowed);
  void fill_with(int id);  // and no other

  size_t size() const { return size_; }
  int id(size_t i) const { return whole_ ? static_cast<int>(i) : ids_[i]; }
  std::span<const float> logits() const { return {logits_.data(), size_}; }
  /// The best logit; kOut: nothing remains, and the functions below may not be called.
  float max();

  /// e^(logit - max) of each, to a candidate's probability what `total()` is to 1. Valid until something
  /// changes.
  std::span<const float> weights();
  double total();
  /// Of the distribution, in nats.
  double entropy();
  /// Standard deviation of the logits.
  double logit_deviation() { return deviation_of(logits(), max()); }

  /// Of one token, if it is still there.
  void add(int id, float logit);
  void ban(int id) { add(id, kOut); }
  /// logit > 0 ? logit / penalty : logit * penalty.
  void penalize(int id, float penalty);
  /// Of the i-th candidate.
  void drop(size_t i);

  /// Logits become their distance from the best times `factor`, which is finite.
  void scale(float factor);

  // What drops tokens keeps at least the best one. Of equals the lower id is better.

  /// Those whose logit reaches `bound`.
  void keep_above(float bound);
  /// The n > 0 best, in order.
  void keep_best(size_t n);
  /// Of those with the highest keys (one for each candidate) the fewest whose probabilities together reach
  /// `share`.
  void keep_share(std::span<const float> keys, double share);
  /// The logits of the n > 0 best, in order, or of all if there are less. Valid until something changes.
  std::span<const float> best_logits(size_t n);
  /// The last of these, without putting them in order.
  float nth_logit(size_t n);

  /// The candidate at `point` in [0, 1) of the probabilities laid one beside the other.
  size_t at(double point);
  /// All that have a probability, in order.
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
  /// Those whose key reaches a bound that at least n keys reach.
  void pick(std::span<const float> keys, size_t n);
  void sort_picked(size_t n);

  size_t size_ = 0;
  bool whole_ = true;
  std::vector<float> logits_;
  std::vector<int> ids_;       // unless whole_
  std::vector<size_t> where_;  // by id: its index, if ids_ says so, too
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
