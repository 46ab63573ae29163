#pragma once

#include <optional>
#include <string>
#include <vector>

#include "text/json_file.h"
#include "text/vocab.h"

namespace gptj {

/// What the files beside a Hugging Face vocabulary say about it.
struct TokenizerSettings {
  /// No two have the same text. An id of -1 stands for that of the token with this text, if the vocabulary has one.
  std::vector<AddedToken> added;
  std::optional<std::string> bos, eos;  // texts
  bool add_prefix_space = false;
};

/// Reads tokenizer_config.json, special_tokens_map.json and added_tokens.json in `directory`, as far as they are there;
/// `tokenizer` is its tokenizer.json or null. Throws Error, naming file and field.
TokenizerSettings read_tokenizer_settings(const std::string& directory, const JsonFile* tokenizer);

/// The value of `key`, in the object `where` of a file, as a token's id. Throws Error if it is none.
int read_token_id(const JsonFile& file, std::string_view where, std::string_view key,
                  const nlohmann::json& value);

}  // namespace gptj
