#include "text/vocab_written.h"

#include <fmt/format.h>

#include <unordered_set>

#include "text/byte_alphabet.h"

namespace gptj {

std::vector<std::string> written_tokens(const Vocab& vocab) {
  std::vector<std::string> texts;
  texts.reserve(vocab.tokens.size());
  for (const std::string& token : vocab.tokens) texts.push_back(alphabet_from_bytes(token));
  for (const AddedToken& token : vocab.added) texts[static_cast<size_t>(token.id)] = token.text;
  std::unordered_set<std::string> seen;
  for (size_t id = 0; id < texts.size(); ++id) {
    if (texts[id].empty() || !seen.insert(texts[id]).second) texts[id] = fmt::format("[PAD{}]", id);
  }
  return texts;
}

std::vector<std::string> written_merges(const Vocab& vocab) {
  std::vector<std::string> lines;
  lines.reserve(vocab.merges.size());
  for (const auto& [left, right] : vocab.merges) {
    lines.push_back(alphabet_from_bytes(vocab.tokens[static_cast<size_t>(left)]) + " " +
                    alphabet_from_bytes(vocab.tokens[static_cast<size_t>(right)]));
  }
  return lines;
}

}  // namespace gptj
