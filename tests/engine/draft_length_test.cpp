#include "engine/draft_length.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <span>
#include <vector>

namespace gptj {
namespace {

/// How long passes of 1, 2, 4, 8 and 16 tokens take, beside one token.
using PassTimes = std::array<double, 5>;
constexpr PassTimes kCheap = {1, 1.1, 1.35, 2.0, 3.3};
constexpr PassTimes kUsual = {1, 1.25, 1.43, 1.95, 3.2};  // GPT-J 6B in q4
constexpr PassTimes kDear = {1, 1.5, 2.0, 3.5, 6.5};

constexpr double kLookup = 0, kDraftModel = 0.03;  // a guess's time

double pass_time(const PassTimes& times, int n_tokens) {
  size_t i = 0;
  int size = 1;  // that times[i] is of
  for (; i + 2 < times.size() && n_tokens > 2 * size; ++i) size *= 2;
  return times[i] + (times[i + 1] - times[i]) * (n_tokens - size) / size;
}

/// Mean of many texts: how much sooner they are there than without guesses, if each guess is right with a probability of
/// `right`. `noise`: times differ by up to so much, and one in twenty by 30 % more.
double gain(const PassTimes& times, double guess_time, double right, int n_tokens, double noise = 0) {
  constexpr int kTexts = 300;
  double plain = 0, guessed = 0, sum = 0;
  for (unsigned text = 0; text < kTexts; ++text) {
    std::mt19937 random(text);
    const auto chance = [&] { return static_cast<double>(random()) / 4294967296.0; };
    std::vector<bool> is_right;
    for (int i = 0; i < n_tokens; ++i) is_right.push_back(chance() < right);
    const auto taken = [&](double ms) {
      const double busy = noise > 0 && chance() < 0.05 ? 1.3 : 1;
      return ms * busy * (1 + noise * (2 * chance() - 1));
    };
    DraftLength length;
    plain = guessed = 0;
    for (int made = 1; made < n_tokens; ++made) plain += taken(100);
    for (int made = 1; made < n_tokens; ++made) {  // the first one comes from the prompt
      const int n = std::min(length.next(), n_tokens - made - 1);
      const int first = made;
      while (made < first + n && is_right[static_cast<size_t>(made)]) ++made;
      const double guess_ms = n * taken(100 * guess_time), pass_ms = taken(100 * pass_time(times, n + 1));
      length.learn(n, made - first, guess_ms, pass_ms);
      guessed += guess_ms + pass_ms;
    }
    sum += plain / guessed;
  }
  return sum / kTexts;
}

TEST(DraftLength, CostsLittleWhereNoGuessIsRight) {
  for (const double guess : {kLookup, kDraftModel}) {
    for (const double noise : {0.0, 0.08}) {
      for (const PassTimes& times : {kCheap, kUsual}) {
        EXPECT_GT(gain(times, guess, 0, 32, noise), 0.97);
        EXPECT_GT(gain(times, guess, 0, 112, noise), 0.985);
      }
      EXPECT_GT(gain(kDear, guess, 0, 32, noise), 0.95);
    }
  }
}

TEST(DraftLength, GainsWhatThereIsWhereGuessesAreRight) {
  for (const double noise : {0.0, 0.08}) {
    EXPECT_GT(gain(kCheap, kDraftModel, 0.5, 32, noise), 1.24);
    EXPECT_GT(gain(kUsual, kDraftModel, 0.5, 32, noise), 1.1);
    EXPECT_GT(gain(kUsual, kLookup, 0.5, 112, noise), 1.15);
    for (const PassTimes& times : {kCheap, kUsual}) {
      EXPECT_GT(gain(times, kDraftModel, 0.8, 32, noise), 1.8);
      EXPECT_GT(gain(times, kDraftModel, 0.8, 112, noise), 1.85);
      EXPECT_GT(gain(times, kLookup, 0.8, 32, noise), 1.9);
      EXPECT_GT(gain(times, kLookup, 0.8, 112, noise), 2.0);
      EXPECT_GT(gain(times, kDraftModel, 0.95, 32, noise), 2.6);
      EXPECT_GT(gain(times, kDraftModel, 0.95, 112, noise), 2.85);
      EXPECT_GT(gain(times, kLookup, 0.95, 112, noise), 3.15);
    }
    EXPECT_GT(gain(kDear, kDraftModel, 0.8, 112, noise), 1.25);
  }
}

TEST(DraftLength, GuessesThatCostMoreThanTokensAreGivenUp) {
  EXPECT_GT(gain(kUsual, 2.0, 0.9, 1000), 0.97);
}

/// Guesses of `n` steps, all of them right or all of them wrong.
int guesses_of(DraftLength& length, int n, bool right) {
  int n_guessed = 0;
  for (int i = 0; i < n; ++i) {
    const int guesses = length.next();
    length.learn(guesses, right ? guesses : 0, 0, 100 * pass_time(kUsual, guesses + 1));
    n_guessed += guesses;
  }
  return n_guessed;
}

TEST(DraftLength, GoesBackToGuessingWhenTheTextBeginsToCopy) {
  DraftLength length;
  EXPECT_LE(guesses_of(length, 200, false), 8);
  EXPECT_GE(guesses_of(length, 400, true), 50 * DraftLength::kMax);
}

TEST(DraftLength, OneSlowTokenDoesNotMakeGuessesLookFree) {
  DraftLength length;
  length.learn(0, 0, 0, 250);  // instead of 100
  EXPECT_LE(guesses_of(length, 200, false), 12);
}

}  // namespace
}  // namespace gptj
