#include "grammar/token_trie.h"

#include <algorithm>

namespace gptj {

TokenTrie::TokenTrie(const Tokenizer& tokenizer, int n_vocab) {
  const int n = std::min(n_vocab, tokenizer.n_tokens());
  for (int id = 0; id < n; ++id) {
    begins_.push_back(static_cast<uint32_t>(bytes_.size()));
    if (!tokenizer.is_added(id) && id != tokenizer.eos()) bytes_ += tokenizer.decode(id);
  }
  begins_.push_back(static_cast<uint32_t>(bytes_.size()));
  for (int id = 0; id < n; ++id) {
    if (!bytes(id).empty()) ids_.push_back(id);
    longest_ = std::max(longest_, bytes(id).size());
  }
  std::stable_sort(ids_.begin(), ids_.end(), [this](int a, int b) { return bytes(a) < bytes(b); });

  std::vector<uint32_t> path;  // nodes of the last token
  const auto close = [&](size_t depth) {
    for (; path.size() > depth; path.pop_back())
      nodes_[path.back()].end = static_cast<uint32_t>(nodes_.size());
  };
  std::string_view last;
  for (uint32_t i = 0; i < ids_.size(); ++i) {
    const std::string_view token = bytes(ids_[i]);
    const auto shared = std::mismatch(last.begin(), last.end(), token.begin(), token.end()).first;
    close(static_cast<size_t>(shared - last.begin()));
    while (path.size() < token.size()) {
      const auto depth = static_cast<uint32_t>(path.size());
      path.push_back(static_cast<uint32_t>(nodes_.size()));
      nodes_.push_back({0, i, depth, static_cast<uint8_t>(token[depth])});
    }
    last = token;
  }
  close(0);
  nodes_.push_back({0, static_cast<uint32_t>(ids_.size()), 0, 0});
}

std::string_view TokenTrie::bytes(int id) const {
  const auto i = static_cast<size_t>(id);
  if (id < 0 || i + 1 >= begins_.size()) return {};
  return std::string_view(bytes_).substr(begins_[i], begins_[i + 1] - begins_[i]);
}

}  // namespace gptj
