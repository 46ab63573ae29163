#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace gptj {

/// The merges of pairs of tokens: a flat hash table with linear probing. The inner loop of BPE does little else than
/// look them up; with std::unordered_map, a list for each bucket, it is three times slower.
class PairTable {
 public:
  struct Merge {
    uint32_t rank;  // lower ones go first
    int id;         // of the merged token
  };

  PairTable() : slots_(kFirstSize) {}

  /// Adds a merge, or replaces that of the same pair.
  void set(int left, int right, Merge merge) {
    if (2 * (used_ + 1) > slots_.size()) grow();
    insert(key(left, right), merge);
  }

  /// Null if the two do not merge.
  const Merge* find(int left, int right) const {
    const uint64_t wanted = key(left, right);
    for (size_t at = home(wanted);; at = (at + 1) & (slots_.size() - 1)) {
      if (slots_[at].key == wanted) return &slots_[at].merge;
      if (slots_[at].key == kEmpty) return nullptr;
    }
  }

 private:
  static constexpr size_t kFirstSize = 1024;  // a power of two, as every later size
  static constexpr uint64_t kEmpty = ~uint64_t{0};

  struct Slot {
    uint64_t key = kEmpty;
    Merge merge{};
  };

  static uint64_t key(int left, int right) {
    return uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right);
  }

  size_t home(uint64_t key) const {
    const uint64_t mixed = key * 0x9e3779b97f4a7c15;  // Fibonacci hashing (Knuth, vol. 3, 6.4)
    return static_cast<size_t>(mixed >> 32) & (slots_.size() - 1);
  }

  void insert(uint64_t key, Merge merge) {
    size_t at = home(key);
    while (slots_[at].key != key && slots_[at].key != kEmpty) at = (at + 1) & (slots_.size() - 1);
    if (slots_[at].key == kEmpty) ++used_;
    slots_[at] = {key, merge};
  }

  void grow() {
    std::vector<Slot> old(2 * slots_.size());
    old.swap(slots_);
    used_ = 0;
    for (const Slot& slot : old) {
      if (slot.key != kEmpty) insert(slot.key, slot.merge);
    }
  }

  std::vector<Slot> slots_;
  size_t used_ = 0;
};

}  // namespace gptj
