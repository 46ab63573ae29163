#include "grammar/scanner.h"

#include <algorithm>
#include <utility>

#include "text/unicode.h"

namespace gptj {

std::string Lines::where(size_t at) {
  if (at < begin_) {
    line_ = 1;
    begin_ = 0;
  }
  for (size_t newline; (newline = text_.find('\n', begin_)) < at; ++line_) begin_ = newline + 1;
  const std::string_view before = text_.substr(begin_, at - begin_);
  const auto is_tail = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; };
  const auto n_tails = std::count_if(before.begin(), before.end(), is_tail);
  return fmt::format("line {}, column {}", line_, before.size() - static_cast<size_t>(n_tails) + 1);
}

Scanner::Scanner(std::string_view text, std::string source, bool has_lines, size_t max_bytes)
    : text_(text), source_(std::move(source)), has_lines_(has_lines), lines_(text) {
  if (text.size() > max_bytes) {
    fail("{}: expected at most {} bytes, found {}", source_, max_bytes, text.size());
  }
  for (size_t at = 0; at < text.size();) {
    const Char c = char_at(text, at);
    if (c.code_point == Char::kInvalid) {
      fail_at(at, "expected UTF-8, found the byte {}", quoted(text.substr(at, 1)));
    }
    at += c.size;
  }
}

uint32_t Scanner::char_from(size_t at) const {
  return at < text_.size() ? static_cast<uint32_t>(char_at(text_, at).code_point) : kEnd;
}

uint32_t Scanner::take() {
  if (at_end()) return kEnd;
  const Char c = char_at(text_, at_);
  at_ += c.size;
  return static_cast<uint32_t>(c.code_point);
}

bool Scanner::take_if(std::string_view expected) {
  if (!looking_at(expected)) return false;
  at_ += expected.size();
  return true;
}

uint32_t Scanner::take_hex(size_t n) {
  const size_t begin = at_;
  uint32_t value = 0;
  for (size_t i = 0; i < n; ++i) {
    const uint32_t c = peek() | 0x20U;
    const bool is_digit = peek() >= '0' && peek() <= '9', is_letter = c >= 'a' && c <= 'f';
    if (!is_digit && !is_letter) fail_expected(fmt::format("{} hexadecimal digits", n));
    value = value << 4 | (is_digit ? peek() - '0' : c - 'a' + 10);
    take();
  }
  if (value > CharSet::kLast || CharSet({{value, value}}).empty()) {
    fail_at(begin, "expected a character, U+0000 to U+10FFFF without surrogates, found U+{:04X}", value);
  }
  return value;
}

uint32_t Scanner::take_number() {
  constexpr uint32_t kMax = 1'000'000;
  const size_t begin = at_;
  uint32_t value = 0;
  while (peek() >= '0' && peek() <= '9') {
    value = value * 10 + (take() - '0');
    if (value > kMax) fail_at(begin, "expected at most {} repetitions", kMax);
  }
  if (at_ == begin) fail_expected("a number of repetitions");
  return value;
}

std::optional<std::pair<uint32_t, uint32_t>> Scanner::take_repetition() {
  if (take_if("*")) return std::pair{0U, Expr::kUnbounded};
  if (take_if("+")) return std::pair{1U, Expr::kUnbounded};
  if (take_if("?")) return std::pair{0U, 1U};
  if (take_if("{")) return take_bounds();
  return std::nullopt;
}

std::pair<uint32_t, uint32_t> Scanner::take_bounds() {
  const size_t begin = at_;
  const uint32_t min = take_number();
  uint32_t max = min;
  if (take_if(",")) max = looking_at("}") ? Expr::kUnbounded : take_number();
  if (!take_if("}")) fail_expected("'}' after the number of repetitions");
  if (max < min) fail_at(begin, "expected at least as many repetitions as {}, found {}", min, max);
  return {min, max};
}

void Scanner::check_size(const Expr& expr, size_t at) const {
  if (expr.size > kMaxGrammarSize) {
    fail_at(at, "this repetition expands to more than {} transitions; write smaller ones", kMaxGrammarSize);
  }
}

std::string Scanner::where(size_t at) const {
  const std::string place = lines_.where(at);
  return has_lines_ ? place : place.substr(place.find("column"));
}

void Scanner::fail_expected(std::string_view expected) const {
  if (at_end()) fail_at(at_, "expected {}, found the end", expected);
  fail_at(at_, "expected {}, found {}", expected, quoted(utf8(peek())));
}

}  // namespace gptj
