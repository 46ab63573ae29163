#pragma once

#include <string>
#include <vector>

#include "text/vocab.h"

namespace gptj {

/// The tokens as Hugging Face's files and GGUF write them, by id: bytes in GPT-2's alphabet, added tokens as their
/// own text. In such a list no text is empty or comes twice, so other tokens (padding) are written "[PAD7]".
std::vector<std::string> written_tokens(const Vocab& vocab);

/// The merges as they write them, by rank: "left right".
std::vector<std::string> written_merges(const Vocab& vocab);

}  // namespace gptj
