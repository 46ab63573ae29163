#include <algorithm>
#include <utility>

#include "text/bpe.h"
#include "text/byte_alphabet.h"
#include "text/vocab_files.h"

namespace gptj {

namespace {

constexpr std::string_view kEndOfText = "<|endoftext|>";
constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

bool looks_special(std::string_view token) {
  return token.size() > 4 && token.starts_with("<|") && token.ends_with("|>");
}

/// Until 4 December 2022 converters wrote U+FFFD for bytes that are not UTF-8. Longer tokens with such bytes are
/// lost, but single bytes are known by their ids, and with them any text can be encoded.
void restore_bytes(std::vector<std::string>& tokens) {
  const auto& bytes = bytes_in_alphabet();
  for (size_t id = 0; id < std::min(bytes.size(), tokens.size()); ++id) {
    if (tokens[id] == kReplacement) tokens[id] = static_cast<char>(bytes[id]);
  }
}

}  // namespace

/// In GPT-2's vocabulary ids are in the order of the merges. So when a token's bytes are encoded with all earlier
/// merges, the two parts that are left are the pair that its own merge joins: a pair can only be joined where earlier
/// merges have not reached across it. More than two parts: no merge makes this token, it is an added one or padding.
/// One part: its bytes have a token already.
Vocab vocab_from_ggml_tokens(std::vector<std::string> tokens, std::string source) {
  Vocab vocab;
  vocab.source = std::move(source);
  vocab.tokens = std::move(tokens);
  restore_bytes(vocab.tokens);

  const TokenIndex index(vocab.tokens);
  const auto longer = [](const std::string& token) { return token.size() > 1; };
  const auto max_merges = std::count_if(vocab.tokens.begin(), vocab.tokens.end(), longer);
  Bpe bpe(index, vocab.source, static_cast<size_t>(max_merges));
  Bpe::Scratch scratch;
  std::vector<int> parts;
  for (const std::string& token : vocab.tokens) {
    const int id = static_cast<int>(&token - vocab.tokens.data());
    if (token.empty() || index.find(token) != id) continue;
    parts.clear();
    bpe.encode(token, scratch, parts);
    if (parts.size() == 2) {
      bpe.add_merge(parts[0], parts[1], id);
      vocab.merges.emplace_back(parts[0], parts[1]);
    } else if (parts.size() > 2 && looks_special(token)) {
      vocab.added.push_back({.id = id, .text = token});
    }
  }
  if (const int end = index.find(kEndOfText); end != TokenIndex::kNone) vocab.bos = vocab.eos = end;
  return vocab;
}

}  // namespace gptj
