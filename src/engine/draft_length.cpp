#include "engine/draft_length.h"

#include <algorithm>
#include <cmath>

namespace gptj {
namespace {

/// Part of one token's time that another token adds to a pass, as long as that has not been measured.
constexpr double kCostOfAnother = 0.15;

constexpr int kShortestPause = 2, kLongPause = 16, kLongestPause = 256;
constexpr double kMemory = 0.95;   // of what was judged, per step
constexpr double kNewTime = 0.25;  // weight of the latest time: the machine has others to serve
constexpr double kGain = 1.03;     // that guesses must promise

void mix(double& average, double ms) {
  average = average == 0 ? ms : average + kNewTime * (ms - average);
}

}  // namespace

/// From the nearest smaller size that was measured.
double DraftLength::pass_ms(int n_tokens) const {
  int known = n_tokens;
  while (known > 1 && pass_ms_[static_cast<size_t>(known)] == 0) --known;
  const double one = pass_ms_[1] > 0 ? pass_ms_[1] : 1;
  const double ms = pass_ms_[static_cast<size_t>(known)] > 0 ? pass_ms_[static_cast<size_t>(known)] : one;
  return ms + (n_tokens - known) * kCostOfAnother * one;
}

double DraftLength::tokens_per_ms(int n_guesses) const {
  const double right = std::min(right_ / judged_, 0.99);
  const double tokens = (1 - std::pow(right, n_guesses + 1)) / (1 - right);
  return tokens / (pass_ms(n_guesses + 1) + n_guesses * guess_ms_);
}

int DraftLength::next() {
  int best = 0;
  double rate = tokens_per_ms(0) * kGain;
  for (int n = 1; n <= kMax; ++n) {
    if (tokens_per_ms(n) > rate) rate = tokens_per_ms(best = n);
  }
  if (best > 0) return best;
  return ++waited_ < pause_ ? 0 : 1;
}

void DraftLength::learn(int n_guessed, int n_accepted, double guess_ms, double pass_ms) {
  mix(pass_ms_[static_cast<size_t>(n_guessed) + 1], pass_ms);
  if (n_guessed == 0) return;
  waited_ = 0;
  pause_ = n_accepted > 0 ? kShortestPause : std::clamp(2 * pause_, kLongPause, kLongestPause);
  mix(guess_ms_, guess_ms / n_guessed);
  right_ = kMemory * right_ + n_accepted;
  judged_ = kMemory * judged_ + std::min(n_accepted + 1, n_guessed);
}

}  // namespace gptj
