#pragma once

#include <span>
#include <vector>

#include "model/kv_cache.h"

namespace gptj {

/// Which pages of the cache the texts in it have. Texts that begin alike share pages, and copy one before they write to
/// it (as in vLLM's paged attention, arXiv:2309.06180). Allocates only when it is made.
class KvSequences {
 public:
  KvSequences(const KvCache& cache, int n_ctx, int n_sequences);

  int size() const { return static_cast<int>(sequences_.size()); }
  std::span<const int> tokens(int sequence) const { return at(sequence).tokens; }
  int n_past(int sequence) const { return static_cast<int>(at(sequence).tokens.size()); }
  KvHead head(int layer, int head, int sequence) const {
    return cache_.head(layer, head, at(sequence).pages.data());
  }

  /// Sees to it that the tokens [begin, end) have pages of the sequence's own, whether they are there yet or not.
  void own(int sequence, int begin, int end);

  /// Tokens that have been evaluated.
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
    std::vector<int> pages;  // those behind n_pages are none
  };

  const Sequence& at(int sequence) const { return sequences_[static_cast<size_t>(sequence)]; }
  Sequence& at(int sequence) { return sequences_[static_cast<size_t>(sequence)]; }
  int take();
  void give_back(int page);

  const KvCache& cache_;
  std::vector<Sequence> sequences_;
  std::vector<int> free_;     // the next one last
  std::vector<int> n_users_;  // of each page
};

}  // namespace gptj
