#include "grammar/lazy_automaton.h"

#include <algorithm>
#include <utility>

namespace gptj {

LazyAutomaton::LazyAutomaton(const Automaton& automaton)
    : automaton_(automaton),
      reads_(automaton.n_states()),
      returns_(automaton.n_states()),
      below_(automaton.n_states(), StackSets::kNone),
      is_waiting_(automaton.n_states()) {
  for (uint32_t state = 0; state < automaton.n_states(); ++state) {
    const auto edges = automaton.edges_of(state);
    reads_[state] = std::any_of(edges.begin(), edges.end(),
                                [](const Edge& edge) { return edge.kind == Edge::Kind::bytes; });
    returns_[state] = edges.empty() && automaton.final[state];
  }
  clear();
  add(automaton.starts.front(), StackSets::kEmpty);
  start_ = state_of(close());
}

void LazyAutomaton::clear() {
  stacks_of_.clear();
  state_of_.clear();
  table_.clear();
  state_of(StackSets::kNone);
  state_of(StackSets::kEmpty);
}

LazyAutomaton::State LazyAutomaton::state_of(StackSets::Id stacks) {
  if (stacks >= state_of_.size()) state_of_.resize(stacks + size_t{1}, kUnknown);
  State& state = state_of_[stacks];
  if (state == kUnknown) {
    state = static_cast<State>(stacks_of_.size());
    stacks_of_.push_back(stacks);
    table_.resize(table_.size() + automaton_.classes.size(), kUnknown);
  }
  return state;
}

LazyAutomaton::State LazyAutomaton::find_next(State state, uint8_t byte_class) {
  const uint8_t byte = automaton_.classes[byte_class];
  const auto n = stacks_.items(stacks_of_[state]).size();
  for (size_t i = 0; i < n; ++i) {
    const StackSets::Item item = stacks_.items(stacks_of_[state])[i];  // add() may move them
    for (const Edge& edge : automaton_.edges_of(item.state)) {
      if (edge.kind == Edge::Kind::bytes && edge.first <= byte && byte <= edge.last) add(edge.to, item.below);
    }
  }
  const State to = state_of(close());
  return table_[state * automaton_.classes.size() + byte_class] = to;
}

void LazyAutomaton::add(uint32_t state, StackSets::Id below) {
  StackSets::Id& known = below_[state];
  if (known == StackSets::kNone) reached_.push_back(state);
  const StackSets::Id both = stacks_.unite(known, below);
  if (both == known) return;
  known = both;
  if (!is_waiting_[state]) todo_.push_back(state);
  is_waiting_[state] = true;
}

void LazyAutomaton::call(const Edge& edge, StackSets::Id below) {
  if (!returns_[edge.to]) {  // a call at the end of a rule needs no return, so that lists do not nest
    if (stacks_.depth(below) >= kMaxDepth) return;
    const StackSets::Item back{edge.to, below};
    below = stacks_.intern({&back, 1}, false);
  }
  add(automaton_.starts[edge.rule], below);
}

/// Adds what the automaton reaches from a state without reading a byte.
void LazyAutomaton::follow(uint32_t state) {
  const StackSets::Id below = below_[state];
  for (const Edge& edge : automaton_.edges_of(state)) {
    if (edge.kind == Edge::Kind::epsilon) add(edge.to, below);
    if (edge.kind == Edge::Kind::call) call(edge, below);
  }
  if (!automaton_.final[state]) return;
  has_empty_ |= stacks_.has_empty(below);
  const auto n = stacks_.items(below).size();
  for (size_t i = 0; i < n; ++i) {
    const StackSets::Item back = stacks_.items(below)[i];  // add() may move them
    add(back.state, back.below);
  }
}

/// The set of all that add() has collected. First come, first served: last come, first served would follow a state
/// that is reached on two ways twice, those behind it four times, and so on.
StackSets::Id LazyAutomaton::close() {
  for (size_t i = 0; i < todo_.size(); ++i) {
    is_waiting_[todo_[i]] = false;
    follow(todo_[i]);
  }
  std::vector<StackSets::Item> items;
  for (const uint32_t state : reached_) {
    if (reads_[state]) items.push_back({state, below_[state]});
    below_[state] = StackSets::kNone;
  }
  reached_.clear();
  todo_.clear();
  std::sort(items.begin(), items.end(), [](const auto& a, const auto& b) { return a.state < b.state; });
  return stacks_.intern(items, std::exchange(has_empty_, false));
}

void LazyAutomaton::keep(std::span<State> states) {
  std::vector<StackSets::Id> sets;
  for (const State state : states) sets.push_back(stacks_of_[state]);
  stacks_.keep(sets);
  items_limit_ = std::max(kItemsLimit, 2 * stacks_.n_items());
  clear();
  for (size_t i = 0; i < sets.size(); ++i) states[i] = state_of(sets[i]);
}

}  // namespace gptj
