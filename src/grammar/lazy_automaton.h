#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "grammar/automaton.h"
#include "grammar/stack_sets.h"

namespace gptj {

/// The deterministic form of an automaton, built where it is walked: a state is all that the automaton can be doing
/// after some bytes, as a set of stacks. What was found once is a look-up in a table. (As regular expressions in RE2;
/// built ahead, it can be exponentially large, and with stacks infinite.)
class LazyAutomaton {
 public:
  using State = uint32_t;
  static constexpr State kDead = 0;  // no text begins so
  static constexpr State kEnd = 1;   // the text is whole, and nothing can follow

  /// Rules that are open at once: what would be deeper is not allowed. Sets of stacks are walked by recursion.
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

  /// Whether tables have become so large that it is time for keep().
  bool is_full() const { return stacks_.n_items() > items_limit_ || table_.size() > kTableLimit; }

  /// Forgets all but these states, and gives them their new numbers; start() is no state any more.
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
  std::vector<State> state_of_;           // of each set that was looked up
  std::vector<State> table_;              // [states, classes]

  // What add() collects and close() takes.
  std::vector<StackSets::Id> below_;  // of each of the automaton's states; kNone: not among those reached
  std::vector<uint32_t> reached_, todo_;
  std::vector<bool> is_waiting_;  // in todo_, and not yet followed
  bool has_empty_ = false;
};

}  // namespace gptj
