#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/token_index.h"

namespace gptj {

/// A merge as most files write it: the bytes of the two tokens that it joins.
using MergedTexts = std::pair<std::string, std::string>;

/// The merge that is written "a b" in GPT-2's alphabet for bytes; nothing if these are not two words with one space
/// between them.
std::optional<MergedTexts> parse_merge(std::string_view line);

/// The id of `token`, which the merge of that rank needs: one of its two, or what it makes of them. Throws Error,
/// naming `source` and the merge, if the vocabulary lacks it.
int token_of_merge(const TokenIndex& index, std::string_view token, std::string_view source, size_t rank,
                   std::string_view left, std::string_view right);

/// The ids of the two tokens of each merge. Throws the same Error.
std::vector<std::pair<int, int>> merges_by_id(const std::vector<MergedTexts>& merges,
                                              const std::vector<std::string>& tokens,
                                              std::string_view source);

}  // namespace gptj
