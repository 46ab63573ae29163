#include "grammar/number_text.h"

#include <algorithm>
#include <string>
#include <utility>

namespace gptj {

namespace {

Expr digits(char first, char last) {
  return chars(CharSet({{static_cast<uint32_t>(first), static_cast<uint32_t>(last)}}));
}

Expr any_digits(size_t min, size_t max) {
  return repeat(digits('0', '9'), static_cast<uint32_t>(min), static_cast<uint32_t>(max));
}

/// Numbers from `low` to `high`, which have the same number of digits.
Expr same_length(const std::string& low, const std::string& high) {
  const size_t n = low.size();
  if (low == std::string(n, '0') && high == std::string(n, '9')) return any_digits(n, n);
  if (n == 1) return digits(low[0], high[0]);
  const std::string low_rest = low.substr(1), high_rest = high.substr(1);
  const auto first = [](char digit) { return bytes(std::string(1, digit)); };
  if (low[0] == high[0]) return sequence({first(low[0]), same_length(low_rest, high_rest)});
  std::vector<Expr> parts;
  parts.push_back(sequence({first(low[0]), same_length(low_rest, std::string(n - 1, '9'))}));
  parts.push_back(sequence({first(high[0]), same_length(std::string(n - 1, '0'), high_rest)}));
  if (high[0] - low[0] > 1) {
    const Expr between = digits(static_cast<char>(low[0] + 1), static_cast<char>(high[0] - 1));
    parts.push_back(sequence({between, any_digits(n - 1, n - 1)}));
  }
  return choice(std::move(parts));
}

/// Integers from `low` to `high`, which are not negative.
Expr naturals(int64_t low, int64_t high) {
  std::vector<Expr> parts;
  while (low <= high) {
    const std::string shortest = std::to_string(low);
    const int64_t longest = std::stoll(std::string(shortest.size(), '9'));
    parts.push_back(same_length(shortest, std::to_string(std::min(longest, high))));
    low = longest + 1;
  }
  return choice(std::move(parts));
}

/// Numbers between bounds that are not negative, with fractions of at most `n` digits.
Expr magnitudes(Bound low, Bound high, size_t n) {
  const Expr fraction = sequence({bytes("."), any_digits(1, n)});
  const Expr zeros = sequence({bytes("."), repeat(bytes("0"), 1, static_cast<uint32_t>(n))});
  std::vector<Expr> parts;
  int64_t first = low.value;
  if (low.exclusive && low.value < high.value) {
    const auto tail = static_cast<uint32_t>(n - 1);
    const Expr above = sequence({repeat(bytes("0"), 0, tail), digits('1', '9'), any_digits(0, tail)});
    parts.push_back(sequence({naturals(first, first), bytes("."), above}));
    ++first;
  }
  parts.push_back(sequence({naturals(first, high.value - 1), optional(fraction)}));
  const bool empty = low.value > high.value || (low.value == high.value && low.exclusive);
  if (!high.exclusive && !empty) {
    parts.push_back(sequence({naturals(high.value, high.value), optional(zeros)}));
  }
  return choice(std::move(parts));
}

Expr any_number() {
  const Expr whole = choice({bytes("0"), sequence({digits('1', '9'), any_digits(0, 17)})});
  const Expr fraction = sequence({bytes("."), any_digits(1, 20)});
  const Expr exponent =
      sequence({chars(CharSet({{'E', 'E'}, {'e', 'e'}})), optional(chars(CharSet({{'+', '+'}, {'-', '-'}}))),
                choice({any_digits(1, 2), sequence({bytes("1"), any_digits(2, 2)}),
                        sequence({bytes("2"), digits('0', '8'), any_digits(1, 1)})})});
  return sequence({optional(bytes("-")), whole, optional(fraction), optional(exponent)});
}

}  // namespace

Expr integers(int64_t low, int64_t high) {
  low = std::max(low, -kMaxInteger);
  high = std::min(high, kMaxInteger);
  std::vector<Expr> parts{naturals(std::max<int64_t>(low, 0), high)};
  if (low < 0) parts.push_back(sequence({bytes("-"), naturals(std::max<int64_t>(-high, 1), -low)}));
  return choice(std::move(parts));
}

Expr numbers(std::optional<Bound> low, std::optional<Bound> high) {
  if (!low && !high) return any_number();
  // A double holds 15 digits: with no more than these, a number next to the bound is not rounded to it.
  const auto length = [](const std::optional<Bound>& bound) {
    return bound ? std::to_string(std::max(bound->value, -bound->value)).size() : 1;
  };
  const size_t n = 15 - std::max(length(low), length(high));
  const Bound from = low.value_or(Bound{-kMaxInteger}), to = high.value_or(Bound{kMaxInteger});
  std::vector<Expr> parts;
  if (to.value >= 0) parts.push_back(magnitudes(from.value >= 0 ? from : Bound{0}, to, n));
  if (from.value < 0) {
    const Bound least = to.value <= 0 ? Bound{-to.value, to.exclusive} : Bound{0};
    parts.push_back(sequence({bytes("-"), magnitudes(least, {-from.value, from.exclusive}, n)}));
  }
  return choice(std::move(parts));
}

}  // namespace gptj
