#include "cli/number.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <type_traits>

#include "base/quoted.h"

namespace gptj::apps {
namespace {

/// std::from_chars for floating point is missing from older libraries (libc++ before 20).
std::optional<double> parsed_double(const std::string& text) {
  if (text.empty() || text.starts_with('+') || text.find_first_not_of("+-.0123456789eE") != text.npos) {
    return std::nullopt;
  }
  char* stop = nullptr;
  const double number = std::strtod(text.c_str(), &stop);
  if (stop != text.data() + text.size() || !std::isfinite(number)) return std::nullopt;
  return number;
}

}  // namespace

template <typename Number>
std::optional<Number> parsed_number(const std::string& text) {
  if constexpr (std::is_floating_point_v<Number>) {
    return parsed_double(text);
  } else {
    Number number{};
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc() || stop != end) return std::nullopt;
    return number;
  }
}

template <typename Number>
std::string number_problem(const std::string& text, Number low, Number high) {
  const std::optional<Number> number = parsed_number<Number>(text);
  if (number && *number >= low && *number <= high) return "";
  constexpr bool kWhole = std::is_integral_v<Number>;
  using Limits = std::numeric_limits<Number>;
  const size_t sign = text.starts_with('-') ? 1 : 0;
  const bool too_long =  // a number that Number cannot hold
      kWhole && !number && text.size() > sign && text.find_first_not_of("0123456789", sign) == text.npos;
  std::string range = fmt::format(" from {} to {}", low, high);
  if (high == Limits::max() && (!too_long || sign > 0)) range = fmt::format(" of at least {}", low);
  if (low == Limits::lowest() && high == Limits::max() && !too_long) range.clear();
  return fmt::format("expected a {}{}, found {}", kWhole ? "whole number" : "number", range, quoted(text));
}

template std::optional<int> parsed_number(const std::string&);
template std::optional<int64_t> parsed_number(const std::string&);
template std::optional<uint64_t> parsed_number(const std::string&);
template std::optional<double> parsed_number(const std::string&);
template std::string number_problem(const std::string&, int, int);
template std::string number_problem(const std::string&, int64_t, int64_t);
template std::string number_problem(const std::string&, uint64_t, uint64_t);
template std::string number_problem(const std::string&, double, double);

}  // namespace gptj::apps
