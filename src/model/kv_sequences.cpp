#include "model/kv_sequences.h"

#include <cassert>

namespace gptj {

KvSequences::KvSequences(const KvCache& cache, int n_sequences)
    : cache_(cache),
      sequences_(static_cast<size_t>(n_sequences)),
      n_users_(static_cast<size_t>(cache.n_pages()), 0) {
  for (Sequence& sequence : sequences_) {
    sequence.pages.resize(n_users_.size() / sequences_.size());
  }
  for (int page = cache.n_pages(); page-- > 0;) free_.push_back(page);
}

int KvSequences::take() {
  assert(!free_.empty());  // there are enough for texts that share nothing
  const int page = free_.back();
  free_.pop_back();
  n_users_[static_cast<size_t>(page)] = 1;
  return page;
}

void KvSequences::give_back(int page) {
  if (--n_users_[static_cast<size_t>(page)] == 0) free_.push_back(page);
}

void KvSequences::own(int sequence, int begin, int end) {
  Sequence& s = sequences_[static_cast<size_t>(sequence)];
  for (int i = begin / kKvPage; i * kKvPage < end; ++i) {
    int& page = s.pages[static_cast<size_t>(i)];
    if (i >= s.n_pages) {
      page = take();
      s.n_pages = i + 1;
    } else if (n_users_[static_cast<size_t>(page)] > 1) {
      const int shared = page;
      page = take();
      cache_.copy_page(shared, page);
      give_back(shared);
    }
  }
}

void KvSequences::set_n_past(int sequence, int n_past) {
  Sequence& s = sequences_[static_cast<size_t>(sequence)];
  while ((s.n_pages - 1) * kKvPage >= n_past && s.n_pages > 0)
    give_back(s.pages[static_cast<size_t>(--s.n_pages)]);
  s.n_past = n_past;
}

void KvSequences::fork(int from, int to) {
  if (from == to) return;
  set_n_past(to, 0);
  const Sequence& source = at(from);
  Sequence& s = sequences_[static_cast<size_t>(to)];
  for (int i = 0; i < source.n_pages; ++i) {
    const int page = source.pages[static_cast<size_t>(i)];
    s.pages[static_cast<size_t>(i)] = page;
    ++n_users_[static_cast<size_t>(page)];
  }
  s.n_pages = source.n_pages;
  s.n_past = source.n_past;
}

}  // namespace gptj
