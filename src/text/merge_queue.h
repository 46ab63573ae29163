#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

namespace gptj {

/// The possible merges in a piece of text: the lowest rank comes first, of equal ranks the leftmost. Those known at the
/// beginning are sorted once, and only those that merging adds go through a heap: twice as fast as one heap for all.
class MergeQueue {
 public:
  struct Entry {
    uint32_t rank;
    uint32_t at;  // the position of the left part
  };

  void clear() {
    first_.clear();
    later_.clear();
    next_ = 0;
  }

  /// Only before start().
  void add_first(Entry entry) { first_.push_back(key(entry)); }
  void start() { std::sort(first_.begin(), first_.end()); }

  void add(Entry entry) {
    later_.push_back(key(entry));
    std::push_heap(later_.begin(), later_.end(), kLowestFirst);
  }

  bool empty() const { return next_ == first_.size() && later_.empty(); }

  Entry pop() {
    const bool from_first = later_.empty() || (next_ < first_.size() && first_[next_] < later_.front());
    if (from_first) return entry(first_[next_++]);
    const uint64_t lowest = later_.front();
    std::pop_heap(later_.begin(), later_.end(), kLowestFirst);
    later_.pop_back();
    return entry(lowest);
  }

 private:
  static constexpr std::greater<> kLowestFirst{};

  static uint64_t key(Entry entry) { return uint64_t{entry.rank} << 32 | entry.at; }
  static Entry entry(uint64_t key) { return {static_cast<uint32_t>(key >> 32), static_cast<uint32_t>(key)}; }

  std::vector<uint64_t> first_, later_;  // keys, whose order as numbers is that of the entries
  size_t next_ = 0;                      // in first_
};

}  // namespace gptj
