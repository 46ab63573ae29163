#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "text/json_file.h"
#include "text/vocab.h"

/// The vocabulary in our own file (docs/formats.md): tokens and merges as bytes, because reading a hundred thousand
/// values of JSON takes longer than a small model's first token; the rest as JSON.
namespace gptj {

/// The number of tokens, and each one's length and bytes; the number of merges, and the ids of each one's two sides.
/// Throws Error if a merge is of something that is no token.
std::string vocab_to_bytes(const Vocab& vocab);

/// {"added": [...], "add_prefix_space", "bos", "eos"}. A token's bytes are the characters U+0000 to U+00FF.
nlohmann::json vocab_to_json(const Vocab& vocab);

/// Reads both; `from` is a part of `file`. Throws Error, naming the field.
Vocab read_native_vocab(const JsonFile& file, const nlohmann::json& from, std::string_view bytes);

}  // namespace gptj
