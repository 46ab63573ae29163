#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gptj/tokenizer.h"

namespace gptj {

/// The tokens that a text is made of, as a tree of their bytes: what tokens begin with is looked at once for all of
/// them. Without added tokens, which are no text, and without padding.
class TokenTrie {
 public:
  /// Nodes in order, each before those that go on from it.
  struct Node {
    uint32_t end;       // the first node that does not go on from this one
    uint32_t first_id;  // of the tokens that end here; those of the next node follow
    uint32_t depth;     // bytes before this one
    uint8_t byte;
  };

  /// Of ids below n_vocab.
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
  std::vector<Node> nodes_;       // and one more
  std::vector<int> ids_;          // sorted by their bytes
  std::string bytes_;             // of all tokens, one after the other
  std::vector<uint32_t> begins_;  // of each id in bytes_; one more at the end
  size_t longest_ = 0;
};

}  // namespace gptj
