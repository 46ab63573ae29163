#include "grammar/char_set.h"

#include <algorithm>

#include "text/unicode.h"

namespace gptj {

namespace {

constexpr CharSet::Range kSurrogates{0xd800, 0xdfff};

/// Appends the runs of the characters from `first` to `last`.
void split(uint32_t first, uint32_t last, std::vector<std::string>& runs) {
  for (const uint32_t longest : {0x7fU, 0x7ffU, 0xffffU}) {
    if (first <= longest && longest < last) {
      split(first, longest, runs);
      split(longest + 1, last, runs);
      return;
    }
  }
  const std::string low = utf8(first), high = utf8(last);
  // Splits off what is not a full range of the last bytes.
  for (size_t tails = 1; tails < low.size(); ++tails) {
    const uint32_t mask = (1U << (6 * tails)) - 1;
    if ((first & ~mask) == (last & ~mask)) continue;
    if ((first & mask) != 0) {
      split(first, first | mask, runs);
      split((first | mask) + 1, last, runs);
      return;
    }
    if ((last & mask) != mask) {
      split(first, (last & ~mask) - 1, runs);
      split(last & ~mask, last, runs);
      return;
    }
  }
  std::string run;
  for (size_t i = 0; i < low.size(); ++i) run += {low[i], high[i]};
  runs.push_back(run);
}

}  // namespace

CharSet::CharSet(const std::vector<Range>& ranges) {
  std::vector<Range> valid;
  for (const Range& r : ranges) {
    const Range below{r.first, std::min(r.last, kSurrogates.first - 1)};
    const Range above{std::max(r.first, kSurrogates.last + 1), r.last};
    if (below.first <= below.last) valid.push_back(below);
    if (above.first <= above.last) valid.push_back(above);
  }
  std::sort(valid.begin(), valid.end(), [](const Range& a, const Range& b) { return a.first < b.first; });
  for (const Range& r : valid) {
    if (!ranges_.empty() && r.first <= ranges_.back().last + 1) {
      ranges_.back().last = std::max(ranges_.back().last, r.last);
    } else {
      ranges_.push_back(r);
    }
  }
}

bool CharSet::has(uint32_t c) const {
  return std::any_of(ranges_.begin(), ranges_.end(),
                     [c](const Range& r) { return r.first <= c && c <= r.last; });
}

CharSet CharSet::complement() const {
  std::vector<Range> gaps;
  uint32_t next = 0;
  for (const Range& r : ranges_) {
    if (next < r.first) gaps.push_back({next, r.first - 1});
    next = r.last + 1;
  }
  if (next <= kLast) gaps.push_back({next, kLast});
  return CharSet(gaps);
}

CharSet CharSet::without(const CharSet& other) const {
  std::vector<Range> outside = complement().ranges_;
  outside.insert(outside.end(), other.ranges_.begin(), other.ranges_.end());
  return CharSet(outside).complement();
}

std::vector<std::string> utf8_ranges(const CharSet& set) {
  std::vector<std::string> runs;
  for (const CharSet::Range& r : set.ranges()) split(r.first, r.last, runs);
  return runs;
}

std::string utf8(uint32_t c) {
  const auto byte = [](uint32_t value) { return static_cast<char>(value); };
  const auto tail = [&](int shift) { return byte(0x80 | (c >> shift & 0x3f)); };
  if (c < 0x80) return {byte(c)};
  if (c < 0x800) return {byte(0xc0 | c >> 6), tail(0)};
  if (c < 0x10000) return {byte(0xe0 | c >> 12), tail(6), tail(0)};
  return {byte(0xf0 | c >> 18), tail(12), tail(6), tail(0)};
}

std::vector<uint32_t> code_points(std::string_view text) {
  std::vector<uint32_t> found;
  for (size_t at = 0; at < text.size();) {
    const Char c = char_at(text, at);
    found.push_back(static_cast<uint32_t>(c.code_point));
    at += c.size;
  }
  return found;
}

}  // namespace gptj
