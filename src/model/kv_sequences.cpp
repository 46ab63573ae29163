#include "model/kv_sequences.h"

#include <cassert>

namespace gptj {

KvSequences::KvSequences(const KvCache& cache, int n_ctx, int n_sequences)
    : cache_(cache),
      sequences_(static_cast<size_t>(n_sequences)),
      n_users_(static_cast<size_t>(cache.n_pages()), 0) {
  for (Sequence& sequence : sequences_) {
    sequence.tokens.reserve(static_cast<size_t>(n_ctx));
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
  Sequence& s = at(sequence);
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

void KvSequences::append(int sequence, std::span<const int> ids) {
  std::vector<int>& tokens = at(sequence).tokens;
  assert(tokens.size() + ids.size() <= tokens.capacity());
  tokens.insert(tokens.end(), ids.begin(), ids.end());
}

void KvSequences::truncate(int sequence, int n_past) {
  Sequence& s = at(sequence);
  assert(n_past <= this->n_past(sequence));
  s.tokens.resize(static_cast<size_t>(n_past));
  while (s.n_pages > 0 && (s.n_pages - 1) * kKvPage >= n_past) {
    give_back(s.pages[static_cast<size_t>(--s.n_pages)]);
  }
}

void KvSequences::erase(int sequence, int begin, int end) {
  std::vector<int>& tokens = at(sequence).tokens;
  tokens.erase(tokens.begin() + begin, tokens.begin() + end);
  truncate(sequence, n_past(sequence));
}

void KvSequences::fork(int from, int to) {
  if (from == to) return;
  truncate(to, 0);
  const Sequence& source = at(from);
  Sequence& s = at(to);
  s.tokens.assign(source.tokens.begin(), source.tokens.end());
  s.n_pages = source.n_pages;
  for (size_t i = 0; i < static_cast<size_t>(s.n_pages); ++i) {
    s.pages[i] = source.pages[i];
    ++n_users_[static_cast<size_t>(s.pages[i])];
  }
}

}  // namespace gptj
