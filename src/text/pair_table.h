#pragma once

#include <bit>
#include <cassert>
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

  explicit PairTable(size_t max_merges) : slots_(std::bit_ceil(2 * max_merges)) {}

  /// Adds a merge, or replaces that of the same pair.
  void set(int left, int right, Merge merge) {
    const uint64_t wanted = key(left, right);
    size_t at = home(wanted);
    while (slots_[at].key != wanted && slots_[at].key != kEmpty) at = (at + 1) & (slots_.size() - 1);
    if (slots_[at].key == kEmpty) ++used_;
    assert(used_ < slots_.size());  // or a search for what is not there would not end
    slots_[at] = {wanted, merge};
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

  std::vector<Slot> slots_;  // a power of two
  size_t used_ = 0;
};

}  // namespace gptj
