#include "engine/draft_length.h"

#include <algorithm>
#include <cmath>

namespace gptj {
namespace {

// Found with the simulation of tests/engine/draft_length_test.cpp.

/// Part of one token's time that each further token adds to a pass, as long as no larger pass has been measured.
constexpr double kCostOfAnother = 0.15;

constexpr int kPauseGrowth = 4, kLongestPause = 256;
constexpr double kMemory = 0.95;  // weight of older judgements, per step
constexpr double kNewTime = 0.1;  // weight of the latest time: the machine may be busy with other things
constexpr int kDoubts = 3;      // steps in a row with none but wrong guesses: a token alone is measured again
constexpr double kGain = 1.05;  // that guesses must promise, because times vary

void mix(double& average, double ms) {
  average = average == 0 ? ms : average + kNewTime * (ms - average);
}

}  // namespace

/// Interpolates between the nearest sizes that were measured; beyond them, each token costs kCostOfAnother more.
double DraftLength::pass_ms(int n_tokens) const {
  const auto ms = [this](int n) { return pass_ms_[static_cast<size_t>(n)]; };
  int below = n_tokens, above = n_tokens;
  while (below > 1 && ms(below) == 0) --below;
  while (above <= kMax + 1 && ms(above) == 0) ++above;
  const double slope =
      above > kMax + 1 ? kCostOfAnother * ms(1) : (ms(above) - ms(below)) / std::max(above - below, 1);
  return ms(below) + (n_tokens - below) * slope;
}

double DraftLength::tokens_per_ms(int n_guesses) const {
  const double right = std::min(right_ / judged_, 0.99);
  const double tokens = (1 - std::pow(right, n_guesses + 1)) / (1 - right);
  return tokens / (pass_ms(n_guesses + 1) + n_guesses * guess_ms_);
}

int DraftLength::next() {
  const bool knows_nothing = pass_ms_[1] == 0;
  if (knows_nothing || n_wrong_ >= kDoubts) return 0;  // to measure a token alone, or to do so again
  int best = 0;
  double rate = tokens_per_ms(0) * kGain;
  for (int n = 1; n <= kMax; ++n) {
    if (tokens_per_ms(n) > rate) rate = tokens_per_ms(best = n);
  }
  if (best > 0) return best;
  return ++waited_ < pause_ ? 0 : 1;
}

void DraftLength::learn(int n_guessed, int n_accepted, double guess_ms, double pass_ms) {
  const auto size = static_cast<size_t>(n_guessed) + 1;
  mix(pass_ms_[size], pass_ms);
  // A smaller pass takes no longer: else a token that was measured alone in a bad moment would make guesses look free.
  for (size_t smaller = 1; smaller < size; ++smaller) {
    pass_ms_[smaller] = std::min(pass_ms_[smaller], pass_ms);
  }
  n_wrong_ = n_guessed > 0 && n_accepted == 0 ? n_wrong_ + 1 : 0;
  if (n_guessed == 0) return;
  waited_ = 0;
  mix(guess_ms_, guess_ms / n_guessed);
  const bool gains = n_accepted > 0 && guess_ms_ + this->pass_ms(2) < 2 * pass_ms_[1];
  pause_ = gains ? kShortestPause : std::min(kPauseGrowth * pause_, kLongestPause);
  right_ = kMemory * right_ + n_accepted;
  judged_ = kMemory * judged_ + std::min(n_accepted + 1, n_guessed);
}

}  // namespace gptj
