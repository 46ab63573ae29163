#include "base/quoted.h"

#include <fmt/format.h>

#include <algorithm>

namespace gptj {
namespace {

/// Bytes of the well-formed UTF-8 character that `text` begins with (Unicode standard, table 3-7); 0: none,
/// or one of the control characters U+0080 to U+009F.
size_t printable_length(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto between = [&](size_t i, unsigned low, unsigned high) {
    return byte(i) >= low && byte(i) <= high;
  };
  const auto tails = [&](size_t from, size_t to) {
    for (size_t i = from; i < to; ++i) {
      if (!between(i, 0x80, 0xbf)) return false;
    }
    return true;
  };
  const unsigned lead = byte(0);
  if (lead >= 0x20 && lead < 0x7f) return 1;
  if (lead == 0xc2) return between(1, 0xa0, 0xbf) ? 2 : 0;
  if (lead >= 0xc3 && lead <= 0xdf) return tails(1, 2) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {  // no overlong forms, no surrogates
    return between(1, lead == 0xe0 ? 0xa0 : 0x80, lead == 0xed ? 0x9f : 0xbf) && tails(2, 3) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {  // no overlong forms, nothing beyond U+10FFFF
    return between(1, lead == 0xf0 ? 0x90 : 0x80, lead == 0xf4 ? 0x8f : 0xbf) && tails(2, 4) ? 4 : 0;
  }
  return 0;
}

/// Takes the first character or byte off `bytes`, which is not empty, and appends it to `out` as it is shown.
void escape_first(std::string_view& bytes, std::string& out) {
  const char c = bytes[0];
  const size_t length = printable_length(bytes);
  if (c == '\n') {
    out += "\\n";
  } else if (c == '\t') {
    out += "\\t";
  } else if (c == '\'' || c == '\\') {
    out += '\\';
    out += c;
  } else if (length > 0) {
    out += bytes.substr(0, length);
  } else {
    out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  bytes.remove_prefix(std::max<size_t>(length, 1));
}

}  // namespace

std::string escaped(std::string_view bytes) {
  std::string out;
  while (!bytes.empty()) escape_first(bytes, out);
  return out;
}

std::string Quoted::operator()(std::string_view name) const {
  constexpr size_t kLimit = 100;
  std::string_view left = name;
  std::string out = "'";
  while (!left.empty() && name.size() - left.size() < kLimit) escape_first(left, out);
  return out + (left.empty() ? "'" : "...'");
}

}  // namespace gptj
