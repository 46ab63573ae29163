#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gptj {

/// A set of Unicode characters: code points without surrogates.
class CharSet {
 public:
  static constexpr uint32_t kLast = 0x10ffff;

  struct Range {
    uint32_t first, last;  // both in it
  };

  CharSet() = default;
  explicit CharSet(std::vector<Range> ranges);

  static CharSet all() { return CharSet({{0, kLast}}); }

  /// Sorted, and with something between any two.
  const std::vector<Range>& ranges() const { return ranges_; }
  bool empty() const { return ranges_.empty(); }
  bool has(uint32_t c) const;

  CharSet complement() const;
  CharSet without(const CharSet& other) const;
  CharSet within(const CharSet& other) const { return without(other.complement()); }

 private:
  std::vector<Range> ranges_;
};

/// Runs of bytes, one range of bytes (first and last) after the other: "\x00\x7f", "\xc2\xdf\x80\xbf", ... As those that RE2
/// makes of a set: of two runs the ranges at a place are equal or have nothing in common, if those before are equal.
std::vector<std::string> utf8_ranges(const CharSet& set);

/// UTF-8 of one character.
std::string utf8(uint32_t c);

/// The characters of valid UTF-8.
std::vector<uint32_t> code_points(std::string_view text);

}  // namespace gptj
