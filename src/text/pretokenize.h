#pragma once

#include <cstddef>
#include <string_view>

namespace gptj {

/// GPT-2's pattern, which cuts a text into the pieces that BPE may merge:
///
///     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
///
/// Returns the bytes of the first piece of `text`, at least 1; `text` is not empty. A byte that is no part of
/// valid UTF-8 counts as a character that is neither letter, number nor white space.
size_t first_piece(std::string_view text);

}  // namespace gptj
