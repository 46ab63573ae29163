#pragma once

#include <array>

namespace gptj {

/// How many guesses to evaluate with a token: as many as promise the most tokens per second, judged by how long
/// guesses and passes of each size took so far and how many guesses were right. Where none pay, it tries again more
/// and more rarely. It changes only time, never the text.
class DraftLength {
 public:
  static constexpr int kMax = 15;

  /// Guesses to make now; 0: none.
  int next();

  /// Tells what a step brought and took; n_guessed may be 0.
  void learn(int n_guessed, int n_accepted, double guess_ms, double pass_ms);

 private:
  static constexpr double kFirstBelief = 0.6;  // that a guess is right; counts as much as one that was judged
  static constexpr int kShortestPause = 2;

  double pass_ms(int n_tokens) const;
  double tokens_per_ms(int n_guesses) const;

  std::array<double, kMax + 2> pass_ms_{};    // of so many tokens; 0: not measured
  double guess_ms_ = 0;                       // of one
  double right_ = kFirstBelief, judged_ = 1;  // guesses, older ones counting less
  int pause_ = kShortestPause;                // tokens without guesses before one is tried again
  int waited_ = 0;
  int n_wrong_ = 0;  // steps in a row with none but wrong guesses
};

}  // namespace gptj
