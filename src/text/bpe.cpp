#include "text/bpe.h"

#include "base/error.h"

namespace gptj {

Bpe::Bpe(const TokenIndex& tokens, std::string_view source, size_t max_merges)
    : byte_ids_(), pairs_(max_merges) {
  for (size_t byte = 0; byte < byte_ids_.size(); ++byte) {
    const char c = static_cast<char>(byte);
    const int token = tokens.find(std::string_view(&c, 1));
    if (token == TokenIndex::kNone) {
      fail("{}: expected a token for each of the 256 bytes, found none for 0x{:02x}; is it byte-level BPE?",
           quoted(source), byte);
    }
    byte_ids_[byte] = token;
  }
}

void Bpe::encode(std::string_view piece, Scratch& scratch, std::vector<int>& ids) const {
  auto& [symbols, queue] = scratch;
  const auto size = static_cast<uint32_t>(piece.size());
  symbols.clear();
  for (uint32_t i = 0; i < size; ++i) {
    symbols.push_back({byte_ids_[static_cast<unsigned char>(piece[i])], i - 1, i + 1});
  }
  symbols.front().previous = kNone;
  symbols.back().next = kNone;

  queue.clear();
  for (uint32_t i = 0; i + 1 < size; ++i) {
    const auto* merge = pairs_.find(symbols[i].id, symbols[i + 1].id);
    if (merge != nullptr) queue.add_first({merge->rank, i});
  }
  queue.start();

  while (!queue.empty()) {
    const auto [rank, at] = queue.pop();
    Symbol& left = symbols[at];
    if (left.id == kGone || left.next == kNone) continue;
    Symbol& right = symbols[left.next];
    // One of the two may have merged with another neighbour since.
    const auto* merge = pairs_.find(left.id, right.id);
    if (merge == nullptr || merge->rank != rank) continue;

    left.id = merge->id;
    left.next = right.next;
    right.id = kGone;
    if (left.next != kNone) {
      Symbol& after = symbols[left.next];
      after.previous = at;
      if (const auto* m = pairs_.find(left.id, after.id)) queue.add({m->rank, at});
    }
    if (left.previous != kNone) {
      const auto* m = pairs_.find(symbols[left.previous].id, left.id);
      if (m != nullptr) queue.add({m->rank, left.previous});
    }
  }

  for (uint32_t i = 0; i != kNone; i = symbols[i].next) ids.push_back(symbols[i].id);
}

}  // namespace gptj
