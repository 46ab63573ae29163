#include "grammar/stack_sets.h"

#include <algorithm>
#include <utility>

namespace gptj {

StackSets::StackSets() : known_(0, Hash{this}, Equal{this}) {
  clear();
}

void StackSets::clear() {
  items_.clear();
  sets_.clear();
  known_.clear();
  unions_.clear();
  intern({}, false);
  intern({}, true);
}

bool StackSets::Equal::operator()(Id a, Id b) const {
  if (sets->has_empty(a) != sets->has_empty(b)) return false;
  const auto left = sets->items(a), right = sets->items(b);
  return std::equal(left.begin(), left.end(), right.begin(), right.end());
}

StackSets::Id StackSets::intern(std::span<const Item> items, bool has_empty) {
  Set set{.first = static_cast<uint32_t>(items_.size()),
          .count = static_cast<uint32_t>(items.size()),
          .depth = 0,
          .has_empty = has_empty,
          .hash = has_empty};
  for (const Item& item : items) {
    set.depth = std::max(set.depth, depth(item.below) + 1);
    set.hash = (set.hash ^ item.state ^ uint64_t{item.below} << 32) * 0x9e3779b97f4a7c15;
    set.hash ^= set.hash >> 29;
  }
  items_.insert(items_.end(), items.begin(), items.end());
  sets_.push_back(set);
  const auto [found, is_new] = known_.insert(static_cast<Id>(sets_.size() - 1));
  if (!is_new) {
    items_.resize(set.first);
    sets_.pop_back();
  }
  return *found;
}

StackSets::Id StackSets::unite(Id a, Id b) {
  if (a == b || b == kNone) return a;
  if (a == kNone) return b;
  if (a > b) std::swap(a, b);
  const uint64_t key = uint64_t{a} << 32 | b;
  if (const auto found = unions_.find(key); found != unions_.end()) return found->second;
  std::vector<Item> both;
  size_t i = 0, j = 0;
  while (i < items(a).size() || j < items(b).size()) {  // items() anew each time: unite() may move them
    const bool left = i < items(a).size(), right = j < items(b).size();
    if (left && right && items(a)[i].state == items(b)[j].state) {
      const Item x = items(a)[i++], y = items(b)[j++];
      both.push_back({x.state, unite(x.below, y.below)});
    } else if (!right || (left && items(a)[i].state < items(b)[j].state)) {
      both.push_back(items(a)[i++]);
    } else {
      both.push_back(items(b)[j++]);
    }
  }
  return unions_[key] = intern(both, has_empty(a) || has_empty(b));
}

void StackSets::keep(std::span<Id> sets) {
  std::vector<bool> needed(sets_.size());
  for (const Id set : sets) needed[set] = true;
  for (size_t set = sets_.size(); set-- > 0;) {  // a set has a larger id than those below it
    if (!needed[set]) continue;
    for (const Item& item : items(static_cast<Id>(set))) needed[item.below] = true;
  }
  const std::vector<Item> old_items = std::move(items_);
  const std::vector<Set> old_sets = std::move(sets_);
  clear();
  std::vector<Id> moved(old_sets.size());
  std::vector<Item> copy;
  for (size_t set = 0; set < old_sets.size(); ++set) {
    if (!needed[set]) continue;
    const auto old = std::span(old_items).subspan(old_sets[set].first, old_sets[set].count);
    copy.assign(old.begin(), old.end());
    for (Item& item : copy) item.below = moved[item.below];
    moved[set] = intern(copy, old_sets[set].has_empty);
  }
  for (Id& set : sets) set = moved[set];
}

}  // namespace gptj
