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
    uint32_t first, last;  // inclusive
  };

  CharSet() = default;
  explicit CharSet(const std::vector<Range>& ranges);

  static CharSet all() { return CharSet({{0, kLast}}); }

  /// Sorted, and neither overlapping nor adjacent.
  const std::vector<Range>& ranges() const { return ranges_; }
  bool empty() const { return ranges_.empty(); }
  bool has(uint32_t c) const;

  CharSet complement() const;
  CharSet without(const CharSet& other) const;
  CharSet within(const CharSet& other) const { return without(other.complement()); }

 private:
  std::vector<Range> ranges_;
};

/// The set's UTF-8 as runs of byte ranges, each given by its first and last byte: "\x00\x7f", "\xc2\xdf\x80\xbf", ...
/// Like the runs that RE2 makes: where two of them have equal ranges up to some place, the ranges there are equal or
/// disjoint.
std::vector<std::string> utf8_ranges(const CharSet& set);

/// UTF-8 of one character.
std::string utf8(uint32_t c);

/// The characters of valid UTF-8.
std::vector<uint32_t> code_points(std::string_view text);

}  // namespace gptj
