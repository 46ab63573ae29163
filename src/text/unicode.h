#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gptj {

/// The kinds of characters that GPT-2's pattern tells apart: \p{L}, \p{N}, \s and the rest.
enum class CharClass : uint8_t { other, letter, number, space };

/// One character of a text; a byte that is not part of valid UTF-8 is one, too.
struct Char {
  static constexpr int32_t kInvalid = -1;
  int32_t code_point;
  size_t size;  // bytes
};

/// The character that begins at text[at]; `at` is inside the text.
Char char_at(std::string_view text, size_t at);

/// The character that ends before text[end]; 0 < end <= text.size().
Char char_before(std::string_view text, size_t end);

/// The class in Unicode 16, the version that Hugging Face's tokenizers use. kInvalid is `other`.
CharClass char_class(int32_t code_point);

/// \w in Unicode 16 (UTS #18): letters, marks, decimal and letter-like numbers, connectors, joiners.
bool is_word_char(int32_t code_point);

}  // namespace gptj
