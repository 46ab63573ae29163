#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "text/json_file.h"
#include "text/vocab.h"

namespace gptj {

/// The vocabulary as our own file has it: {"tokens": [...], "merges": [left id, right id, ...], "added": [...],
/// "add_prefix_space", "bos", "eos"}. A token's bytes are the characters U+0000 to U+00FF. Throws Error if a merge
/// names no token.
nlohmann::json vocab_to_json(const Vocab& vocab);

/// `json` is a part of `file`. Throws Error, naming the field.
Vocab vocab_from_json(const JsonFile& file, const nlohmann::json& json);

}  // namespace gptj
