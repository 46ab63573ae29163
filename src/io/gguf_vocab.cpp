#include "io/gguf_vocab.h"

#include <algorithm>

#include "base/error.h"
#include "text/byte_alphabet.h"
#include "text/merges.h"

namespace gptj {
namespace {

constexpr const char* kTokens = "tokenizer.ggml.tokens";
constexpr const char* kTypes = "tokenizer.ggml.token_type";
constexpr const char* kMerges = "tokenizer.ggml.merges";

/// Names that converters give to GPT-2's way of splitting text; "default" where they knew none.
constexpr std::string_view kPreTokenizers[] = {"gpt-2", "default", "phi-2"};

void check_kind(const GgufMetadata& metadata) {
  const std::string model = metadata.text("tokenizer.ggml.model").value_or("no such key");
  if (model != "gpt2") {
    fail("{}: tokenizer.ggml.model: expected gpt2 (byte-level BPE), found {}", quoted(metadata.path()),
         quoted(model));
  }
  const std::string pre = metadata.text("tokenizer.ggml.pre").value_or("default");
  if (std::find(std::begin(kPreTokenizers), std::end(kPreTokenizers), pre) == std::end(kPreTokenizers)) {
    fail("{}: tokenizer.ggml.pre: expected gpt-2, found {}", quoted(metadata.path()), quoted(pre));
  }
}

template <class T>
T require(const GgufMetadata& metadata, const char* key, std::optional<T> value) {
  if (!value) fail("{}: {}: expected an array, found no such key", quoted(metadata.path()), key);
  return *std::move(value);
}

std::optional<int> token_id(const GgufMetadata& metadata, const std::string& key, size_t n_tokens) {
  const auto id = metadata.integer(key);
  if (id && *id >= n_tokens) {
    fail("{}: {}: expected the id of one of {} tokens, found {}", quoted(metadata.path()), key, n_tokens,
         *id);
  }
  return id ? std::optional(static_cast<int>(*id)) : std::nullopt;
}

/// Added tokens are written as they are, others in the alphabet for bytes.
void add_token(const std::string& written, GgufTokenType type, Vocab& vocab) {
  const bool special = type == GgufTokenType::control;
  if (!special && type != GgufTokenType::user_defined) return vocab.tokens.push_back(token_bytes(written));
  if (!written.empty()) {
    vocab.added.push_back(
        {.id = static_cast<int>(vocab.tokens.size()), .text = written, .normalized = !special});
  }
  vocab.tokens.push_back(written);
}

}  // namespace

Vocab read_gguf_vocab(const GgufMetadata& metadata) {
  check_kind(metadata);
  Vocab vocab;
  vocab.source = metadata.path();
  const auto written = require(metadata, kTokens, metadata.texts(kTokens));
  constexpr auto kNormal = static_cast<int32_t>(GgufTokenType::normal);
  const auto types = metadata.integers(kTypes).value_or(std::vector<int32_t>(written.size(), kNormal));
  if (types.size() != written.size()) {
    fail("{}: {}: expected {} numbers, one for each token, found {}", quoted(vocab.source), kTypes,
         written.size(), types.size());
  }
  for (size_t id = 0; id < written.size(); ++id) {
    if (types[id] < kNormal || types[id] > static_cast<int32_t>(GgufTokenType::byte)) {
      fail("{}: {}: token {}: expected 1 to 6, found {}", quoted(vocab.source), kTypes, id, types[id]);
    }
    add_token(written[id], static_cast<GgufTokenType>(types[id]), vocab);
  }
  std::vector<MergedTexts> merges;
  for (const std::string& line : require(metadata, kMerges, metadata.texts(kMerges))) {
    auto merge = parse_merge(line);
    if (!merge) {
      fail("{}: {}: merge {}: expected two tokens with a space between, found {}", quoted(vocab.source),
           kMerges, merges.size(), quoted(line));
    }
    merges.push_back(*std::move(merge));
  }
  vocab.merges = merges_by_id(merges, vocab.tokens, vocab.source);
  vocab.bos = token_id(metadata, "tokenizer.ggml.bos_token_id", written.size());
  vocab.eos = token_id(metadata, "tokenizer.ggml.eos_token_id", written.size());
  vocab.add_prefix_space = metadata.boolean("tokenizer.ggml.add_space_prefix").value_or(false);
  return vocab;
}

}  // namespace gptj
