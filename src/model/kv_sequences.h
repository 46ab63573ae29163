#pragma once

#include <span>
#include <vector>

#include "model/kv_cache.h"

namespace gptj {

/// The texts in the KV cache, and the pages that they have there. Texts that begin alike share pages, and copy a page
/// before they write to it (as in vLLM's paged attention, arXiv:2309.06180). Allocates only when it is made.
class KvSequences {
 public:
  KvSequences(const KvCache& cache, int n_ctx, int n_sequences);

  int size() const { return static_cast<int>(sequences_.size()); }
  std::span<const int> tokens(int sequence) const { return at(sequence).tokens; }
  int n_past(int sequence) const { return static_cast<int>(at(sequence).tokens.size()); }
  KvHead head(int layer, int head, int sequence) const {
    return cache_.head(layer, head, at(sequence).pages.data());
  }

  /// Gives the sequence pages of its own for the tokens [begin, end), which may be still to come.
  void own(int sequence, int begin, int end);

  /// Appends tokens that have been evaluated.
  void append(int sequence, std::span<const int> ids);

  void truncate(int sequence, int n_past);

  /// Forgets the tokens [begin, end); those that follow have been moved.
  void erase(int sequence, int begin, int end);

  /// `to` becomes the text that `from` is.
  void fork(int from, int to);

 private:
  struct Sequence {
    std::vector<int> tokens;
    int n_pages = 0;
    std::vector<int> pages;  // the first n_pages of these are in use
  };

  const Sequence& at(int sequence) const { return sequences_[static_cast<size_t>(sequence)]; }
  Sequence& at(int sequence) { return sequences_[static_cast<size_t>(sequence)]; }
  int take();  // a free page
  void give_back(int page);

  const KvCache& cache_;
  std::vector<Sequence> sequences_;
  std::vector<int> free_;     // the last one is taken first
  std::vector<int> n_users_;  // of each page
};

}  // namespace gptj
