#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gptj/tokenizer.h"

namespace gptj {

/// The tokens of a text as a tree of their bytes: what several tokens begin with is walked once for all of them. It
/// has no added tokens, which are not text, and no padding.
class TokenTrie {
 public:
  /// Nodes are in depth-first order, each before its children.
  struct Node {
    uint32_t end;       // the first node behind this one's subtree
    uint32_t first_id;  // index of the tokens that end here; those of the next node follow
    uint32_t depth;     // bytes before this one
    uint8_t byte;
  };

  /// Has the tokens with ids below n_vocab.
  TokenTrie(const Tokenizer& tokenizer, int n_vocab);

  uint32_t n_nodes() const { return static_cast<uint32_t>(nodes_.size()) - 1; }
  const Node& node(uint32_t i) const { return nodes_[i]; }
  std::span<const int> ids(uint32_t node) const {
    return std::span(ids_).subspan(nodes_[node].first_id, nodes_[node + 1].first_id - nodes_[node].first_id);
  }

  size_t longest() const { return longest_; }  // bytes

  /// The bytes of a token; empty for one that is not in the tree.
  std::string_view bytes(int id) const;

 private:
  std::vector<Node> nodes_;       // and one more at the end
  std::vector<int> ids_;          // sorted by their bytes
  std::string bytes_;             // of all tokens, one after the other
  std::vector<uint32_t> begins_;  // of each id in bytes_; one more at the end
  size_t longest_ = 0;
};

}  // namespace gptj
