#pragma once

#include <optional>
#include <string>

namespace gptj::apps {

/// The number that all of `text` is; nothing if it is none, or one that a Number cannot hold. Number: int, int64_t,
/// uint64_t or double.
template <typename Number>
std::optional<Number> parsed_number(const std::string& text);

/// What is wrong with `text` as a number from `low` to `high`, "expected ..., found ..."; empty: nothing.
template <typename Number>
std::string number_problem(const std::string& text, Number low, Number high);

}  // namespace gptj::apps
