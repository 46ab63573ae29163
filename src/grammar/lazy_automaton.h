#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "grammar/automaton.h"
#include "grammar/stack_sets.h"

namespace gptj {

/// The deterministic form of an automaton, built while it is walked, as RE2 does for regular expressions: a state is
/// the set of all stacks that the automaton can have after some bytes. Steps that were taken once are in a table.
/// (Built ahead, it could be exponentially large, and with stacks infinite.)
class LazyAutomaton {
 public:
  using State = uint32_t;
  static constexpr State kDead = 0;  // no text begins like this
  static constexpr State kEnd = 1;   // the text is complete, and nothing can follow

  /// The most rules that may be open at once, because sets of stacks are walked by recursion. What would be deeper is
  /// not allowed.
  static constexpr uint32_t kMaxDepth = 4000;

  explicit LazyAutomaton(const Automaton& automaton);

  State start() const { return start_; }

  State next(State state, uint8_t byte) {
    const uint8_t byte_class = automaton_.class_of[byte];
    const State to = table_[state * automaton_.classes.size() + byte_class];
    return to != kUnknown ? to : find_next(state, byte_class);
  }

  bool may_end(State state) const { return stacks_.has_empty(stacks_of_[state]); }
  bool can_go_on(State state) const { return !stacks_.items(stacks_of_[state]).empty(); }

  /// Whether the tables have become so large that it is time for keep().
  bool is_full() const { return stacks_.n_items() > items_limit_ || table_.size() > kTableLimit; }

  /// Forgets all states but these, which get new numbers. start() is then no longer valid.
  void keep(std::span<State> states);

 private:
  static constexpr State kUnknown = ~State{0};
  static constexpr size_t kItemsLimit = size_t{1} << 20, kTableLimit = size_t{1} << 22;  // 8 and 16 MB

  State find_next(State state, uint8_t byte_class);
  void clear();
  State state_of(StackSets::Id stacks);
  void add(uint32_t state, StackSets::Id below);
  void call(const Edge& edge, StackSets::Id below);
  void follow(uint32_t state);
  StackSets::Id close();

  const Automaton& automaton_;
  std::vector<bool> reads_;    // states with edges of bytes
  std::vector<bool> returns_;  // states that only end their rule
  StackSets stacks_;
  size_t items_limit_ = kItemsLimit;
  State start_;
  std::vector<StackSets::Id> stacks_of_;  // of each state
  std::vector<State> state_of_;           // of each set of stacks
  std::vector<State> table_;              // [states, classes]

  // What add() collects and close() takes.
  std::vector<StackSets::Id> below_;  // of each of the automaton's states; kNone: not reached
  std::vector<uint32_t> reached_, todo_;
  std::vector<bool> is_waiting_;  // in todo_, and not yet followed
  bool has_empty_ = false;
};

}  // namespace gptj
