#pragma once

#include <cstdint>
#include <optional>

#include "grammar/rules.h"

namespace gptj {

/// Integers, and numbers before their point, are written with at most 18 digits, which fit any reader's 64 bits.
inline constexpr int64_t kMaxInteger = 999'999'999'999'999'999;

/// The largest bound of numbers with fractions: up to here, rounding by a reader cannot move a number across the bound.
inline constexpr int64_t kMaxNumberBound = 99'999'999'999'999;

/// JSON's integers from `low` to `high`; derives no text if there are none.
Expr integers(int64_t low, int64_t high);

/// An end of a range of numbers.
struct Bound {
  int64_t value;  // up to kMaxNumberBound, or its negative
  bool exclusive = false;
};

/// JSON's numbers between the bounds. Without bounds they may have an exponent, as large as a double's.
Expr numbers(std::optional<Bound> low, std::optional<Bound> high);

}  // namespace gptj
