#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace gptj {

/// Sets of stacks of states, each stored once, so that equal sets have equal ids. A set lists the states that may be
/// on top, each once and with the set of stacks that may lie below it, and says whether it contains the empty stack.
/// Stacks with equal lower parts share these, as in Tomita's graph-structured stack ("Efficient parsing for natural
/// language", 1985), and stacks with equal tops are joined, so that exponentially many stacks take linear space.
class StackSets {
 public:
  using Id = uint32_t;
  static constexpr Id kNone = 0;   // no stack
  static constexpr Id kEmpty = 1;  // the empty stack alone

  struct Item {
    uint32_t state;
    Id below;
    bool operator==(const Item&) const = default;
  };

  StackSets();
  StackSets(const StackSets&) = delete;
  StackSets& operator=(const StackSets&) = delete;

  /// The set of these items, which are sorted by state, each state once.
  Id intern(std::span<const Item> items, bool has_empty);
  Id unite(Id a, Id b);

  std::span<const Item> items(Id set) const {
    return std::span(items_).subspan(sets_[set].first, sets_[set].count);
  }
  bool has_empty(Id set) const { return sets_[set].has_empty; }
  uint32_t depth(Id set) const { return sets_[set].depth; }  // of its deepest stack

  size_t n_items() const { return items_.size(); }

  /// Forgets all sets but these, which get new ids.
  void keep(std::span<Id> sets);

 private:
  struct Set {
    uint32_t first, count;
    uint32_t depth;
    bool has_empty;
    uint64_t hash;
  };
  struct Hash {
    const StackSets* sets;
    size_t operator()(Id set) const { return sets->sets_[set].hash; }
  };
  struct Equal {
    const StackSets* sets;
    bool operator()(Id a, Id b) const;
  };

  void clear();

  std::vector<Item> items_;
  std::vector<Set> sets_;
  std::unordered_set<Id, Hash, Equal> known_;
  std::unordered_map<uint64_t, Id> unions_;
};

}  // namespace gptj
