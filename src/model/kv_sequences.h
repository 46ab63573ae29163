#pragma once

#include <vector>

#include "model/kv_cache.h"

namespace gptj {

/// Which pages of the cache the texts in it have. Texts that begin alike share pages, and copy one before they write to
/// it (as in vLLM's paged attention, arXiv:2309.06180). Allocates only when it is made.
class KvSequences {
 public:
  KvSequences(const KvCache& cache, int n_sequences);

  int size() const { return static_cast<int>(sequences_.size()); }
  int n_past(int sequence) const { return at(sequence).n_past; }
  KvHead head(int layer, int head, int sequence) const {
    return cache_.head(layer, head, at(sequence).pages.data());
  }

  /// Sees to it that the tokens [begin, end) have pages of the sequence's own.
  void own(int sequence, int begin, int end);

  /// Its length from now on; gives back what it needs no more.
  void set_n_past(int sequence, int n_past);

  /// `to` becomes the text that `from` is.
  void fork(int from, int to);

 private:
  struct Sequence {
    int n_past = 0;
    int n_pages = 0;
    std::vector<int> pages;
  };

  const Sequence& at(int sequence) const { return sequences_[static_cast<size_t>(sequence)]; }
  int take();
  void give_back(int page);

  const KvCache& cache_;
  std::vector<Sequence> sequences_;
  std::vector<int> free_;     // the next one last
  std::vector<int> n_users_;  // of each page
};

}  // namespace gptj
