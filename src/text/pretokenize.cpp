#include "text/pretokenize.h"

#include "text/unicode.h"

namespace gptj {

namespace {

/// 's|'t|'re|'ve|'m|'ll|'d, or 0.
size_t contraction(std::string_view text) {
  for (const std::string_view suffix : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}) {
    if (text.starts_with(suffix)) return suffix.size();
  }
  return 0;
}

/// The end of the run of characters of one class that begins at `at`.
size_t run_end(std::string_view text, size_t at, CharClass char_class_of_run) {
  while (at < text.size()) {
    const Char c = char_at(text, at);
    if (char_class(c.code_point) != char_class_of_run) break;
    at += c.size;
  }
  return at;
}

}  // namespace

size_t first_piece(std::string_view text) {
  if (const size_t size = contraction(text); size > 0) return size;

  // A space belongs to what follows it, unless that is white space too.
  const size_t start = text[0] == ' ' && text.size() > 1 ? 1 : 0;
  const CharClass first_class = char_class(char_at(text, start).code_point);
  if (first_class != CharClass::space) return run_end(text, start, first_class);

  // \s+(?!\S)|\s+: a run of white space leaves its last character to what follows, if it has more than one.
  const size_t end = run_end(text, 0, CharClass::space);
  const size_t last = end - char_before(text, end).size;
  return end == text.size() || last == 0 ? end : last;
}

}  // namespace gptj
