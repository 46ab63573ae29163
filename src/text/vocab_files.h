#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/vocab.h"

namespace gptj {

/// The files that the vocabulary of a Hugging Face directory may be read from.
inline constexpr std::string_view kVocabFiles[] = {"tokenizer.json",    "tokenizer_config.json",
                                                   "vocab.json",        "merges.txt",
                                                   "added_tokens.json", "special_tokens_map.json"};

/// The vocabulary of a Hugging Face directory: `tokenizer.json` if it is there, else `vocab.json` and `merges.txt`.
/// Optional beside them: `tokenizer_config.json`, `special_tokens_map.json`, `added_tokens.json`. Throws Error,
/// naming file and field.
Vocab read_vocab_directory(const std::string& directory);

/// The vocabulary of a legacy ggml file, which has the tokens' bytes and nothing else. Merges are reconstructed from
/// the order of the ids; `<|...|>` tokens that no merge makes become added tokens. `source` names the file in
/// messages. Throws Error if some byte has no token.
Vocab vocab_from_ggml_tokens(std::vector<std::string> tokens, std::string source = "vocabulary");

}  // namespace gptj
