#include "io/native_vocab.h"

#include <nlohmann/json.hpp>
#include <unordered_map>

#include "base/error.h"
#include "text/tokenizer_settings.h"

namespace gptj {
namespace {

using nlohmann::json;

/// JSON has no strings of bytes: each byte is written as the character of its number, in UTF-8.
std::string text_of(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      text += c;
    } else {
      text += static_cast<char>(0xc0 | byte >> 6);
      text += static_cast<char>(0x80 | (byte & 0x3f));
    }
  }
  return text;
}

std::string bytes_of(const JsonFile& file, const std::string& field, const json& value) {
  if (!value.is_string()) file.fail(field, "a text", value);
  const auto& text = value.get_ref<const std::string&>();  // valid UTF-8: it has been parsed
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto first = static_cast<unsigned char>(text[i]);
    if (first < 0x80) {
      bytes += text[i];
    } else if (first <= 0xc3) {
      bytes += static_cast<char>(first << 6 | (static_cast<unsigned char>(text[++i]) & 0x3f));
    } else {
      file.fail(field, "only the characters U+0000 to U+00FF, each a byte", value);
    }
  }
  return bytes;
}

const json& array(const JsonFile& file, const json& where, const char* key) {
  const json& value = member(where, key);
  if (!value.is_array()) file.fail(fmt::format("tokenizer.{}", key), "an array", value);
  return value;
}

bool boolean(const JsonFile& file, const json& where, const char* key) {
  const json& value = member(where, key);
  if (!value.is_boolean()) file.fail(fmt::format("tokenizer: {}", key), "true or false", value);
  return value.get<bool>();
}

std::optional<int> optional_id(const JsonFile& file, const json& where, const char* key) {
  const json& value = member(where, key);
  if (value.is_null()) return {};
  return read_token_id(file, "tokenizer", key, value);
}

}  // namespace

json vocab_to_json(const Vocab& vocab) {
  std::unordered_map<std::string_view, int> ids;
  json tokens = json::array(), merges = json::array(), added = json::array();
  for (const std::string& token : vocab.tokens) {
    ids.emplace(token, static_cast<int>(tokens.size()));
    tokens.push_back(text_of(token));
  }
  const auto id_of = [&](const std::string& token) {
    const auto found = ids.find(token);
    if (found == ids.end()) {
      fail("{}: merge of {}: expected it in the vocabulary, found no such token", quoted(vocab.source),
           quoted(token));
    }
    return found->second;
  };
  for (const auto& [left, right] : vocab.merges) {
    merges.push_back(id_of(left));
    merges.push_back(id_of(right));
  }
  for (const AddedToken& token : vocab.added) {
    added.push_back({{"id", token.id},
                     {"text", text_of(token.text)},
                     {"normalized", token.normalized},
                     {"lstrip", token.lstrip},
                     {"rstrip", token.rstrip},
                     {"single_word", token.single_word}});
  }
  json out = {{"tokens", std::move(tokens)},
              {"merges", std::move(merges)},
              {"added", std::move(added)},
              {"add_prefix_space", vocab.add_prefix_space}};
  if (vocab.bos) out["bos"] = *vocab.bos;
  if (vocab.eos) out["eos"] = *vocab.eos;
  return out;
}

Vocab vocab_from_json(const JsonFile& file, const json& from) {
  if (!from.is_object()) file.fail("tokenizer", "an object", from);
  Vocab vocab;
  vocab.source = file.path;
  for (const json& token : array(file, from, "tokens")) {
    vocab.tokens.push_back(bytes_of(file, fmt::format("tokenizer.tokens[{}]", vocab.tokens.size()), token));
  }
  const json& merges = array(file, from, "merges");
  if (merges.size() % 2 != 0) file.fail("tokenizer.merges", "pairs of ids", merges.back());
  const auto token = [&](const json& id) {
    const auto index = static_cast<size_t>(read_token_id(file, "tokenizer", "merges", id));
    if (index >= vocab.tokens.size()) file.fail("tokenizer.merges", "ids of tokens", id);
    return vocab.tokens[index];
  };
  for (size_t i = 0; i < merges.size(); i += 2)
    vocab.merges.emplace_back(token(merges[i]), token(merges[i + 1]));
  for (const json& entry : array(file, from, "added")) {
    if (!entry.is_object()) file.fail("tokenizer.added", "objects", entry);
    AddedToken& to = vocab.added.emplace_back();
    to.id = read_token_id(file, "tokenizer.added", "id", member(entry, "id"));
    to.text = bytes_of(file, "tokenizer.added: text", member(entry, "text"));
    to.normalized = boolean(file, entry, "normalized");
    to.lstrip = boolean(file, entry, "lstrip");
    to.rstrip = boolean(file, entry, "rstrip");
    to.single_word = boolean(file, entry, "single_word");
  }
  vocab.add_prefix_space = boolean(file, from, "add_prefix_space");
  vocab.bos = optional_id(file, from, "bos");
  vocab.eos = optional_id(file, from, "eos");
  return vocab;
}

}  // namespace gptj
