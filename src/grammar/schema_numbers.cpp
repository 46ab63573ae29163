#include "grammar/schema_numbers.h"

#include <algorithm>
#include <cmath>

#include "grammar/number_text.h"

namespace gptj {

namespace {

/// The keywords that bound numbers on one side.
struct Side {
  const char *inclusive, *exclusive;
  bool is_low;
};
constexpr Side kLow{"minimum", "exclusiveMinimum", true}, kHigh{"maximum", "exclusiveMaximum", false};

/// The tighter bound of a side's two, rounded inward.
int64_t integer_bound(const OrderedJson& schema, const Side& side) {
  const double sign = side.is_low ? 1 : -1;
  int64_t bound = -kMaxInteger;  // of sign * value, from below
  for (const char* key : {side.inclusive, side.exclusive}) {
    if (!schema.contains(key)) continue;
    const OrderedJson& value = schema[key];
    const bool exclusive = key == side.exclusive;
    const double rounded = std::ceil(sign * value.get<double>());
    int64_t found = -kMaxInteger;
    if (std::abs(value.get<double>()) > static_cast<double>(kMaxInteger)) {
      found = rounded > 0 ? kMaxInteger + 1 : -kMaxInteger;
    } else if (value.is_number_float()) {
      found = static_cast<int64_t>(rounded) + (exclusive && rounded == sign * value.get<double>() ? 1 : 0);
    } else {
      found = (side.is_low ? 1 : -1) * value.get<int64_t>() + (exclusive ? 1 : 0);
    }
    bound = std::max(bound, found);
  }
  return side.is_low ? bound : -bound;
}

/// The tighter bound of a side's two; nothing if there is none.
std::optional<Bound> number_bound(const OrderedJson& schema, const Side& side, const std::string& path) {
  std::optional<Bound> bound;
  for (const char* key : {side.inclusive, side.exclusive}) {
    if (!schema.contains(key)) continue;
    const auto value = schema[key].get<double>();
    if (std::trunc(value) != value || std::abs(value) > static_cast<double>(kMaxNumberBound)) {
      fail_schema(
          path / key,
          fmt::format("expected a whole number of at most 14 digits, for bounds of numbers are compared "
                      "digit by digit, found {}",
                      schema[key].dump()));
    }
    const Bound found{static_cast<int64_t>(value), key == side.exclusive};
    const bool tighter = !bound || (side.is_low ? found.value >= bound->value : found.value <= bound->value);
    if (tighter) bound = found;
  }
  return bound;
}

}  // namespace

Expr schema_integers(const OrderedJson& schema) {
  return integers(integer_bound(schema, kLow), integer_bound(schema, kHigh));
}

Expr schema_numbers(const OrderedJson& schema, const std::string& path) {
  return numbers(number_bound(schema, kLow, path), number_bound(schema, kHigh, path));
}

}  // namespace gptj
