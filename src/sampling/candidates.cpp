#include "sampling/candidates.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <functional>

namespace gptj {
namespace {

constexpr size_t kBlock = 512;      // weights whose sum is kept, so that drawing need not add up all
constexpr float kFarthest = 1e30f;  // magnitude of a logit, at most: leaves room to divide and subtract
constexpr float kAny = -3e38f;      // below all logits and keys, except those that are out
constexpr size_t kFirstPick = 64;   // candidates to try first for a share, then kMorePicks times as many
constexpr size_t kMorePicks = 4;
constexpr size_t kBits = 64;

/// take(i) for each bit that is set.
template <typename Take>
void for_each_bit(uint64_t word, const Take& take) {
  for (; word != 0; word &= word - 1) take(static_cast<size_t>(std::countr_zero(word)));
}

}  // namespace

Candidates::Candidates(size_t n_vocab)
    : logits_(n_vocab),
      ids_(n_vocab),
      where_(n_vocab),
      weights_(n_vocab),
      block_totals_(n_vocab / kBlock + 1),
      scratch_(n_vocab) {
  picked_.reserve(n_vocab);
  distribution_.reserve(n_vocab);
}

void Candidates::fill(std::span<const float> logits, std::span<const uint64_t> allowed) {
  assert(logits.size() == logits_.size());
  assert(allowed.empty() || allowed.size() == (logits.size() + kBits - 1) / kBits);
  const auto cleaned = [](float x) {
    const float bounded = x < kFarthest ? x : kFarthest;
    return x >= -kFarthest ? bounded : kOut;  // NaN is not
  };
  changed();
  size_t n_allowed = 0;
  for (const uint64_t word : allowed) n_allowed += static_cast<size_t>(std::popcount(word));
  whole_ = allowed.empty() || n_allowed > logits.size() / 2;  // else a list is shorter
  size_ = whole_ ? logits.size() : 0;
  float best = kOut;
  for (size_t begin = 0; begin < size_; begin += kBlock) {
    const size_t n = std::min(kBlock, size_ - begin);
    for (size_t i = begin; i < begin + n; ++i) logits_[i] = cleaned(logits[i]);
    best = std::max(best, max_of(std::span(logits_).subspan(begin, n)));  // while they are in L1
  }
  max_ = best;
  max_known_ = allowed.empty();
  for (size_t word = 0; word < allowed.size(); ++word) {
    for_each_bit(whole_ ? ~allowed[word] : allowed[word], [&](size_t bit) {
      const size_t id = word * kBits + bit;
      if (id >= logits.size()) return;
      if (whole_) {
        logits_[id] = kOut;
      } else {
        ids_[size_] = static_cast<int>(id);
        logits_[size_++] = cleaned(logits[id]);
      }
    });
  }
}

void Candidates::fill_with(int id) {
  whole_ = false;
  size_ = 1;
  ids_[0] = id;
  logits_[0] = 0;
  changed();
}

void Candidates::changed() {
  where_known_ = max_known_ = weights_known_ = false;
}

float Candidates::max() {
  if (!max_known_) max_ = max_of(logits());
  max_known_ = true;
  return max_;
}

std::span<const float> Candidates::weights() {
  if (!weights_known_) {
    total_ = 0;
    const float best = max();
    for (size_t begin = 0; begin < size_; begin += kBlock) {
      const size_t n = std::min(kBlock, size_ - begin);
      total_ += block_totals_[begin / kBlock] =
          exp_of(logits().subspan(begin, n), best, std::span(weights_).subspan(begin, n));
    }
    weights_known_ = true;
  }
  return {weights_.data(), size_};
}

double Candidates::total() {
  weights();
  return total_;
}

double Candidates::entropy() {
  const std::span<const float> all = weights();
  return std::log(total_) + mean_distance(logits(), max(), all) / total_;
}

float* Candidates::find(int id) {
  const auto index = static_cast<size_t>(id);
  assert(index < where_.size());
  if (whole_) return &logits_[index];
  if (!where_known_) {
    for (size_t i = 0; i < size_; ++i) where_[static_cast<size_t>(ids_[i])] = i;
    where_known_ = true;
  }
  const size_t i = where_[index];  // may be left from an earlier list
  return i < size_ && ids_[i] == id ? &logits_[i] : nullptr;
}

void Candidates::add(int id, float logit) {
  float* const found = find(id);
  if (found == nullptr) return;
  *found += logit;
  max_known_ = weights_known_ = false;
}

void Candidates::penalize(int id, float penalty) {
  float* const found = find(id);
  if (found == nullptr) return;
  *found = *found > 0 ? *found / penalty : *found * penalty;
  max_known_ = weights_known_ = false;
}

void Candidates::drop(size_t i) {
  logits_[i] = kOut;
  max_known_ = weights_known_ = false;
}

void Candidates::scale(float factor) {
  const float best = max();
  for (size_t i = 0; i < size_; ++i) logits_[i] = (logits_[i] - best) * factor;
  max_ = 0;
  weights_known_ = false;
}

void Candidates::keep_above(float bound) {
  size_t n = 0;
  for_each_above(logits(), std::min(bound, max()), [&](size_t i) {
    ids_[n] = id(i);
    logits_[n++] = logits_[i];
  });
  whole_ = false;
  size_ = n;
  where_known_ = weights_known_ = false;
}

void Candidates::pick(std::span<const float> keys, size_t n) {
  assert(keys.size() == size_);
  const float bound = n < size_ ? bound_of_best(keys, n, scratch_) : kAny;
  picked_.clear();
  for_each_above(keys, std::max(bound, kAny), [&](size_t i) {
    picked_.push_back({keys[i], id(i), logits_[i]});
  });
}

void Candidates::sort_picked(size_t n) {
  const auto better = [](const Picked& a, const Picked& b) {
    return a.key != b.key ? a.key > b.key : a.id < b.id;
  };
  std::partial_sort(picked_.begin(), picked_.begin() + static_cast<ptrdiff_t>(n), picked_.end(), better);
}

void Candidates::keep_picked(size_t n) {
  for (size_t i = 0; i < n; ++i) {
    ids_[i] = picked_[i].id;
    logits_[i] = picked_[i].logit;
  }
  whole_ = false;
  size_ = n;
  changed();
}

void Candidates::keep_best(size_t n) {
  if (n >= size_) return;
  pick(logits(), n);
  n = std::min(n, picked_.size());
  sort_picked(n);
  keep_picked(n);
}

std::span<const float> Candidates::best_logits(size_t n) {
  pick(logits(), n);
  n = std::min(n, picked_.size());
  sort_picked(n);
  for (size_t i = 0; i < n; ++i) scratch_[i] = picked_[i].logit;
  return std::span(scratch_).first(n);
}

float Candidates::nth_logit(size_t n) {
  pick(logits(), n);
  n = std::min(n, picked_.size());
  for (size_t i = 0; i < picked_.size(); ++i) scratch_[i] = picked_[i].logit;
  const auto nth = scratch_.begin() + static_cast<ptrdiff_t>(n - 1);
  std::nth_element(scratch_.begin(), nth, scratch_.begin() + static_cast<ptrdiff_t>(picked_.size()),
                   std::greater<>());
  return *nth;
}

void Candidates::keep_share(std::span<const float> keys, double share) {
  const double wanted = share * total();
  const auto weight = [best = max()](const Picked& p) {
    return std::exp(static_cast<double>(p.logit - best));
  };
  for (size_t n = kFirstPick;; n *= kMorePicks) {
    pick(keys, n);
    double sum = 0;
    for (const Picked& p : picked_) sum += weight(p);
    if (sum >= wanted || n >= size_) break;
  }
  sort_picked(picked_.size());
  double kept = 0;
  size_t n = 0;
  while (n < picked_.size() && (n == 0 || kept < wanted)) kept += weight(picked_[n++]);
  keep_picked(n);
}

size_t Candidates::at(double point) {
  const std::span<const float> all = weights();
  point *= total_;
  size_t begin = 0;
  for (; begin + kBlock < size_ && point >= block_totals_[begin / kBlock]; begin += kBlock)
    point -= block_totals_[begin / kBlock];
  for (size_t i = begin; i < size_; ++i) {
    const auto weight = static_cast<double>(all[i]);
    if (point < weight) return i;
    point -= weight;
  }
  // Rounding may leave the point behind all of them: then it is the last that has a weight.
  size_t last = size_ - 1;
  while (all[last] == 0) --last;
  return last;
}

std::span<const Candidate> Candidates::distribution() {
  const std::span<const float> all = weights();
  distribution_.clear();
  for (size_t i = 0; i < size_; ++i) {
    const auto p = static_cast<float>(static_cast<double>(all[i]) / total_);
    if (p > 0) distribution_.push_back({id(i), p});
  }
  std::sort(distribution_.begin(), distribution_.end(),
            [](const Candidate& a, const Candidate& b) { return a.p != b.p ? a.p > b.p : a.id < b.id; });
  return distribution_;
}

}  // namespace gptj
