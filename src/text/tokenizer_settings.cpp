#include "text/tokenizer_settings.h"

#include <charconv>
#include <limits>
#include <map>

#include "base/error.h"

namespace gptj {

namespace {

using nlohmann::json;

/// Special tokens that have a role, by the role's name: "bos_token" and the like. GPT-2's tokenizer has defaults.
using NamedTokens = std::map<std::string, std::optional<AddedToken>>;
using TokensByText = std::map<std::string, AddedToken>;
const AddedToken kEndOfText{.text = "<|endoftext|>"};

bool read_flag(const JsonFile& file, const std::string& where, const json& object, const char* key,
               bool otherwise) {
  const json& value = member(object, key);
  if (value.is_null()) return otherwise;
  if (!value.is_boolean()) file.fail(where + key, "true or false", value);
  return value.get<bool>();
}

/// An added token: an object with its content and flags, or only its text.
AddedToken read_added_token(const JsonFile& file, const std::string& where, const json& value, bool special) {
  if (value.is_string()) {
    return {.text = value.get<std::string>(), .normalized = !special};
  }
  if (!value.is_object()) file.fail(where, "a token (an object or a string)", value);
  const json& content = member(value, "content");
  if (!content.is_string()) file.fail(where + ".content", "a string", content);
  AddedToken token{.text = content.get<std::string>()};
  special = read_flag(file, where + ".", value, "special", special);
  token.normalized = read_flag(file, where + ".", value, "normalized", !special);
  token.lstrip = read_flag(file, where + ".", value, "lstrip", false);
  token.rstrip = read_flag(file, where + ".", value, "rstrip", false);
  token.single_word = read_flag(file, where + ".", value, "single_word", false);
  return token;
}

/// tokenizer_config.json: {"50256": {"content": "<|endoftext|>", ...}, ...}
void read_decoder(const JsonFile& file, const json& decoder, TokensByText& tokens) {
  if (!decoder.is_object()) file.fail("added_tokens_decoder", "an object", decoder);
  for (const auto& [key, value] : decoder.items()) {
    AddedToken token = read_added_token(file, "added_tokens_decoder." + quoted(key), value, false);
    const char* end = key.data() + key.size();
    const auto [stop, error] = std::from_chars(key.data(), end, token.id);
    if (error != std::errc() || stop != end || token.id < 0) {
      file.fail("added_tokens_decoder", "token ids as keys", key);
    }
    tokens.insert_or_assign(token.text, token);
  }
}

/// added_tokens.json: {"<|extratoken_1|>": 50257, ...}
void read_id_map(const JsonFile& file, const TokensByText& special, TokensByText& tokens) {
  for (const auto& [text, value] : file.root.items()) {
    const int id = read_token_id(file, "token", text, value);
    tokens.insert_or_assign(text, AddedToken{.id = id, .text = text, .normalized = !special.contains(text)});
  }
}

/// tokenizer.json: "added_tokens": [{"id": 50256, "content": "<|endoftext|>", ...}, ...]
void read_list(const JsonFile& file, TokensByText& tokens) {
  const json& list = member(file.root, "added_tokens");
  if (!list.is_array() && !list.is_null()) file.fail("added_tokens", "an array", list);
  for (size_t i = 0; i < list.size(); ++i) {
    const std::string where = fmt::format("added_tokens[{}]", i);
    if (!list[i].is_object()) file.fail(where, "an object", list[i]);
    AddedToken token = read_added_token(file, where, list[i], false);
    token.id = read_token_id(file, where, "id", member(list[i], "id"));
    tokens.insert_or_assign(token.text, token);
  }
}

/// "bos_token": "<|endoftext|>" and the like; null removes a default.
void read_named(const JsonFile& file, NamedTokens& named, TokensByText& others) {
  for (const auto& [key, value] : file.root.items()) {
    if (key.ends_with("_token") && !value.is_boolean()) {  // add_bos_token is a boolean
      named[key] =
          value.is_null() ? std::nullopt : std::optional(read_added_token(file, quoted(key), value, true));
    } else if (key == "additional_special_tokens" || key == "extra_special_tokens") {
      if (!value.is_structured() && !value.is_null()) file.fail(key, "a list of tokens", value);
      for (const json& entry : value) {
        const AddedToken token = read_added_token(file, key, entry, true);
        others.insert_or_assign(token.text, token);
      }
    }
  }
}

}  // namespace

int read_token_id(const JsonFile& file, std::string_view where, std::string_view key, const json& value) {
  constexpr int kMax = std::numeric_limits<int>::max();
  const bool fits = value.is_number_unsigned() && value.get<uint64_t>() <= kMax;
  if (!fits) {
    file.fail(fmt::format("{} {}", where, quoted(key)), "a token id (a whole number from 0)", value);
  }
  return value.get<int>();
}

TokenizerSettings read_tokenizer_settings(const std::string& directory, const JsonFile* tokenizer) {
  TokenizerSettings settings;
  NamedTokens named = {{"bos_token", kEndOfText}, {"eos_token", kEndOfText}, {"unk_token", kEndOfText}};
  TokensByText special, added;

  const auto config = read_json_file_if_there(directory + "/tokenizer_config.json");
  if (config) {
    settings.add_prefix_space = read_flag(*config, "", config->root, "add_prefix_space", false);
    read_named(*config, named, special);
  }
  // As in transformers' PreTrainedTokenizerBase._from_pretrained (5.23): the first of these is complete, the others
  // add up.
  const bool has_decoder = config && !member(config->root, "added_tokens_decoder").is_null();
  if (has_decoder) {
    read_decoder(*config, config->root["added_tokens_decoder"], added);
  } else if (const auto map = read_json_file_if_there(directory + "/special_tokens_map.json")) {
    read_named(*map, named, special);
  }
  for (const auto& [role, token] : named) {
    if (token) special.insert_or_assign(token->text, *token);
  }
  if (!has_decoder) {
    if (const auto ids = read_json_file_if_there(directory + "/added_tokens.json")) {
      read_id_map(*ids, special, added);
    }
    if (tokenizer != nullptr) read_list(*tokenizer, added);
  }

  added.merge(special);  // what is there already stays as it is
  for (const auto& [text, token] : added) settings.added.push_back(token);
  const auto text_of = [&](const char* role) {
    return named[role] ? std::optional(named[role]->text) : std::nullopt;
  };
  settings.bos = text_of("bos_token");
  settings.eos = text_of("eos_token");
  return settings;
}

}  // namespace gptj
