#pragma once

#include <string>
#include <vector>

#include "text/vocab.h"

namespace gptj {

/// The tokens as Hugging Face's files and GGUF write them, by id: bytes in GPT-2's alphabet, added tokens as their own
/// text. Such a list has each text once and none that is empty, so other tokens (padding) become "[PAD7]".
std::vector<std::string> written_tokens(const Vocab& vocab);

/// The merges in the same way, by rank: "left right".
std::vector<std::string> written_merges(const Vocab& vocab);

}  // namespace gptj
