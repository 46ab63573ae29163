#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "text/merge_queue.h"
#include "text/pair_table.h"
#include "text/token_index.h"

namespace gptj {

/// Byte-pair encoding (Sennrich et al. 2016, arXiv:1508.07909) of bytes: a piece of text begins as one token per
/// byte; then the two neighbours whose merge has the lowest rank become one token, the leftmost such pair first,
/// until no two neighbours merge. Const use may be shared by threads, each with its own Scratch.
class Bpe {
 public:
  /// A token of the piece that is being encoded, in a linked list.
  struct Symbol {
    int id;  // kGone after its merge into its left neighbour
    uint32_t previous, next;
  };

  /// Memory that encode() reuses.
  struct Scratch {
    std::vector<Symbol> symbols;
    MergeQueue queue;
  };

  /// Has no merges yet, and room for `max_merges`. Throws Error, naming `source`, if some byte has no token.
  Bpe(const TokenIndex& tokens, std::string_view source, size_t max_merges);

  /// Merges are ranked in the order of the calls; a pair that is added again gets the later rank.
  void add_merge(int left, int right, int merged) { pairs_.set(left, right, {n_merges_++, merged}); }

  /// Appends the ids of one piece, shorter than 4 GiB, in O(n log n).
  void encode(std::string_view piece, Scratch& scratch, std::vector<int>& ids) const;

 private:
  static constexpr uint32_t kNone = ~uint32_t{0};
  static constexpr int kGone = -1;

  std::array<int, 256> byte_ids_;
  PairTable pairs_;
  uint32_t n_merges_ = 0;
};

}  // namespace gptj
