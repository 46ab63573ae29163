#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "grammar/rules.h"

namespace gptj {

/// Lines and columns of a text, both counted from 1; columns count characters. Fast if places are asked for in order.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {}

  /// Where a byte is: "line 3, column 7".
  std::string where(size_t at);

 private:
  std::string_view text_;
  size_t line_ = 1, begin_ = 0;  // a line, and where it begins
};

/// Reads the text of a grammar or pattern character by character, and knows where it is.
class Scanner {
 public:
  static constexpr uint32_t kEnd = ~uint32_t{0};  // no character: the text has ended

  /// Messages begin with `source`, and name the line only if `has_lines`. Throws Error for text that is not UTF-8 or
  /// has more than `max_bytes` bytes.
  Scanner(std::string_view text, std::string source, bool has_lines, size_t max_bytes);

  bool at_end() const { return at_ == text_.size(); }
  size_t at() const { return at_; }
  void go_to(size_t at) { at_ = at; }
  uint32_t peek() const { return char_from(at_); }
  uint32_t take();                          // kEnd at the end
  bool take_if(std::string_view expected);  // ASCII
  bool looking_at(std::string_view expected) const { return text_.substr(at_).starts_with(expected); }
  std::string_view since(size_t begin) const { return text_.substr(begin, at_ - begin); }

  /// Takes `n` hexadecimal digits, the number of a character.
  uint32_t take_hex(size_t n);

  /// Takes "*", "+", "?", "{2}", "{2,}" or "{2,5}" and returns its minimum and maximum; nothing if none of them is
  /// there.
  std::optional<std::pair<uint32_t, uint32_t>> take_repetition();

  /// Throws Error if a repetition that begins at `at` is too large for a grammar.
  void check_size(const Expr& expr, size_t at) const;

  std::string where(size_t at) const;

  /// Throws an Error that names the place `at`.
  template <typename... Args>
  [[noreturn]] void fail_at(size_t at, fmt::format_string<Args...> format, Args&&... args) const {
    fail("{}: {}: {}", source_, where(at), fmt::format(format, std::forward<Args>(args)...));
  }
  /// Throws the Error that something else was expected here than what is there.
  [[noreturn]] void fail_expected(std::string_view expected) const;

 private:
  uint32_t char_from(size_t at) const;
  std::pair<uint32_t, uint32_t> take_bounds();  // behind "{"
  uint32_t take_number();

  std::string_view text_;
  std::string source_;
  bool has_lines_;
  mutable Lines lines_;
  size_t at_ = 0;
};

/// How deep parentheses may nest: they are read by recursion.
inline constexpr int kMaxNesting = 200;

}  // namespace gptj
