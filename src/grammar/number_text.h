#pragma once

#include <cstdint>
#include <optional>

#include "grammar/rules.h"

namespace gptj {

/// Integers are written with at most 18 digits, which every reader's 64 bits hold; so are numbers before their point.
inline constexpr int64_t kMaxInteger = 999'999'999'999'999'999;

/// Bounds of numbers that have a fraction: their values, as readers round them, are on the right side up to here.
inline constexpr int64_t kMaxNumberBound = 99'999'999'999'999;

/// JSON's integers from `low` to `high`; no text if there are none.
Expr integers(int64_t low, int64_t high);

/// An end of a range of numbers.
struct Bound {
  int64_t value;  // up to kMaxNumberBound, or its negative
  bool exclusive = false;
};

/// JSON's numbers. Without bounds also with an exponent, up to what a double holds.
Expr numbers(std::optional<Bound> low, std::optional<Bound> high);

}  // namespace gptj
