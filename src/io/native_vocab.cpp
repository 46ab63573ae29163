#include "io/native_vocab.h"

#include <cstring>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "io/put_number.h"
#include "text/tokenizer_settings.h"

namespace gptj {
namespace {

using nlohmann::json;

/// JSON has no strings of bytes: each byte is written as the character with its number, in UTF-8.
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

bool boolean(const JsonFile& file, const json& where, const char* key) {
  const json& value = member(where, key);
  if (!value.is_boolean()) file.fail(fmt::format("tokenizer: {}", key), "true or false", value);
  return value.get<bool>();
}

int token_id(const JsonFile& file, const json& where, const char* key, size_t n_tokens) {
  const json& value = member(where, key);
  const int id = read_token_id(file, "tokenizer", key, value);
  if (static_cast<size_t>(id) >= n_tokens) {
    file.fail(fmt::format("tokenizer: {}", key), fmt::format("the id of one of {} tokens", n_tokens), value);
  }
  return id;
}

std::optional<int> optional_id(const JsonFile& file, const json& where, const char* key, size_t n_tokens) {
  if (member(where, key).is_null()) return {};
  return token_id(file, where, key, n_tokens);
}

/// Reads counts and bytes, which are little-endian like the machine.
class Fields {
 public:
  Fields(const std::string& path, std::string_view bytes) : path_(path), bytes_(bytes) {}

  size_t left() const { return bytes_.size(); }

  std::string_view take(size_t bytes, const char* what) {
    if (bytes > bytes_.size()) {
      fail("{}: vocabulary: {}: expected {} bytes, found {} to its end", quoted(path_), what, bytes,
           bytes_.size());
    }
    const std::string_view taken = bytes_.substr(0, bytes);
    bytes_.remove_prefix(bytes);
    return taken;
  }

  uint32_t u32(const char* what) {
    uint32_t value = 0;
    std::memcpy(&value, take(sizeof value, what).data(), sizeof value);
    return value;
  }

  /// A number of things that take at least `bytes` each.
  uint32_t count(size_t bytes, const char* what) {
    const uint32_t n = u32(what);
    if (n > left() / bytes) {
      fail("{}: vocabulary: {}: expected at most {}, as there are {} bytes left, found {}", quoted(path_),
           what, left() / bytes, left(), n);
    }
    return n;
  }

 private:
  const std::string& path_;
  std::string_view bytes_;
};

void read_tokens_and_merges(Vocab& vocab, std::string_view bytes) {
  Fields fields(vocab.source, bytes);
  vocab.tokens.resize(fields.count(sizeof(uint32_t), "number of tokens"));
  for (std::string& token : vocab.tokens) token = fields.take(fields.u32("length of a token"), "a token");
  const uint32_t n_merges = fields.count(2 * sizeof(uint32_t), "number of merges");
  vocab.merges.reserve(n_merges);
  // What a merge makes is looked up by its text: a small file must not ask for the reading of much.
  constexpr size_t kMaxRepetition = 16;
  size_t text_left = kMaxRepetition * bytes.size();
  const auto token = [&] {
    const uint32_t id = fields.u32("a merge");
    if (id >= vocab.tokens.size()) {
      fail("{}: vocabulary: merge {}: expected ids of the {} tokens, found {}", quoted(vocab.source),
           vocab.merges.size(), vocab.tokens.size(), id);
    }
    const std::string& text = vocab.tokens[id];
    if (text.size() > text_left) {
      fail("{}: vocabulary: merge {}: expected merges of at most {} times its {} bytes, found more",
           quoted(vocab.source), vocab.merges.size(), kMaxRepetition, bytes.size());
    }
    text_left -= text.size();
    return static_cast<int>(id);
  };
  for (uint32_t i = 0; i < n_merges; ++i) {
    const int left = token();
    vocab.merges.emplace_back(left, token());
  }
  if (fields.left() > 0) {
    fail("{}: vocabulary: expected its end after the merges, found {} more bytes", quoted(vocab.source),
         fields.left());
  }
}

}  // namespace

std::string vocab_to_bytes(const Vocab& vocab) {
  std::string out;
  put_number<uint32_t>(out, vocab.tokens.size());
  for (const std::string& token : vocab.tokens) {
    put_number<uint32_t>(out, token.size());
    out += token;
  }
  put_number<uint32_t>(out, vocab.merges.size());
  for (const auto& [left, right] : vocab.merges) {
    put_number<uint32_t>(out, left);
    put_number<uint32_t>(out, right);
  }
  return out;
}

json vocab_to_json(const Vocab& vocab) {
  json added = json::array();
  for (const AddedToken& token : vocab.added) {
    added.push_back({{"id", token.id},
                     {"text", text_of(token.text)},
                     {"normalized", token.normalized},
                     {"lstrip", token.lstrip},
                     {"rstrip", token.rstrip},
                     {"single_word", token.single_word}});
  }
  json out = {{"added", std::move(added)}, {"add_prefix_space", vocab.add_prefix_space}};
  if (vocab.bos) out["bos"] = *vocab.bos;
  if (vocab.eos) out["eos"] = *vocab.eos;
  return out;
}

Vocab read_native_vocab(const JsonFile& file, const json& from, std::string_view bytes) {
  if (!from.is_object()) file.fail("tokenizer", "an object", from);
  Vocab vocab;
  vocab.source = file.path;
  read_tokens_and_merges(vocab, bytes);
  const json& added = member(from, "added");
  if (!added.is_array()) file.fail("tokenizer.added", "an array", added);
  for (const json& entry : added) {
    if (!entry.is_object()) file.fail("tokenizer.added", "objects", entry);
    AddedToken& to = vocab.added.emplace_back();
    to.id = token_id(file, entry, "id", vocab.tokens.size());
    to.text = bytes_of(file, "tokenizer.added: text", member(entry, "text"));
    to.normalized = boolean(file, entry, "normalized");
    to.lstrip = boolean(file, entry, "lstrip");
    to.rstrip = boolean(file, entry, "rstrip");
    to.single_word = boolean(file, entry, "single_word");
  }
  vocab.add_prefix_space = boolean(file, from, "add_prefix_space");
  vocab.bos = optional_id(file, from, "bos", vocab.tokens.size());
  vocab.eos = optional_id(file, from, "eos", vocab.tokens.size());
  return vocab;
}

}  // namespace gptj
