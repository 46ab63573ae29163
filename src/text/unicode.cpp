#include "text/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "text/unicode_16.h"

namespace gptj {

namespace {

/// The property White_Space, closed since Unicode 6.3.
bool is_space(int32_t c) {
  return (c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
         c == 0x3000;
}

/// The entry of a character about which the linked utf8proc may differ from Unicode 16, or null.
const Unicode16Range* unicode_16(int32_t c) {
  const auto* range = std::lower_bound(std::begin(kUnicode16), std::end(kUnicode16), c,
                                       [](const Unicode16Range& r, int32_t value) { return r.last < value; });
  return range != std::end(kUnicode16) && range->first <= c ? range : nullptr;
}

CharClass find_class(int32_t c) {
  if (is_space(c)) return CharClass::space;
  if (const auto* range = unicode_16(c)) return range->char_class;
  switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
      return CharClass::letter;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return CharClass::number;
    default:
      return CharClass::other;
  }
}

}  // namespace

Char char_at(std::string_view text, size_t at) {
  utf8proc_int32_t c = 0;
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at;
  if (*bytes < 0x80) return {*bytes, 1};
  const auto left = static_cast<utf8proc_ssize_t>(text.size() - at);
  const utf8proc_ssize_t size = utf8proc_iterate(bytes, left, &c);
  if (size <= 0) return {Char::kInvalid, 1};
  return {c, static_cast<size_t>(size)};
}

Char char_before(std::string_view text, size_t end) {
  for (size_t size = 1; size <= 4 && size <= end; ++size) {
    const Char c = char_at(text, end - size);
    if (c.code_point != Char::kInvalid && c.size == size) return c;
  }
  return {Char::kInvalid, 1};
}

CharClass char_class(int32_t code_point) {
  static const auto ascii = [] {
    std::array<CharClass, 128> table{};
    for (int c = 0; c < 128; ++c) table[static_cast<size_t>(c)] = find_class(c);
    return table;
  }();
  if (code_point < 0) return CharClass::other;
  return code_point < 128 ? ascii[static_cast<size_t>(code_point)] : find_class(code_point);
}

bool is_word_char(int32_t code_point) {
  if (const auto* range = unicode_16(code_point)) return range->is_word;
  switch (utf8proc_category(code_point)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_PC:
      return true;
    default:
      break;
  }
  const bool joiner = code_point == 0x200c || code_point == 0x200d;
  // Other_Alphabetic beyond the categories above: circled and squared letters.
  const bool circled =
      (code_point >= 0x24b6 && code_point <= 0x24e9) || (code_point >= 0x1f130 && code_point <= 0x1f149) ||
      (code_point >= 0x1f150 && code_point <= 0x1f169) || (code_point >= 0x1f170 && code_point <= 0x1f189);
  return joiner || circled;
}

}  // namespace gptj
