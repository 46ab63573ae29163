#include "sampling/setting_text.h"

#include <charconv>
#include <cmath>
#include <cstdlib>

#include "base/error.h"

namespace gptj {

std::optional<double> parse_number(std::string_view text) {
  // std::from_chars for floating point is missing from older libraries (libc++ before 20).
  if (text.empty() || text.starts_with('+') || text.find_first_not_of("+-.0123456789eE") != text.npos)
    return {};
  const std::string terminated(text);
  char* stop = nullptr;
  const double number = std::strtod(terminated.c_str(), &stop);
  if (stop != terminated.data() + terminated.size() || !std::isfinite(number)) return {};
  return number;
}

std::optional<double> parse_whole_number(std::string_view text) {
  if (text.find_first_of(".eE") != text.npos) return {};
  return parse_number(text);
}

std::optional<int> parse_id(std::string_view text) {
  int id = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || stop != text.data() + text.size() || id < 0) return {};
  return id;
}

void check_id(std::string_view setting, int id, int n_vocab) {
  if (id >= n_vocab) fail("{}: expected the id of a token from 0 to {}, found {}", setting, n_vocab - 1, id);
}

std::string empty_problem(std::string_view text) {
  return text.empty() ? "expected a text, found ''" : "";
}

}  // namespace gptj
