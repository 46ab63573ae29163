#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/pickle.h"

namespace gptj {

/// The machine whose program a pickle is: a stack of values, marks in it, and a memo of values to use again. Most
/// functions are what an opcode does. They throw Error, naming the opcode's byte, if it cannot be done or is not what
/// torch writes.
class PickleMachine {
 public:
  using Refs = std::vector<uint32_t>;  // places in the list of all values

  /// See read_pickle().
  PickleMachine(const std::string& path, bool (*is_known)(std::string_view global))
      : path_(path), is_known_(is_known) {}

  /// The next opcode stands at this byte.
  void begin_opcode(size_t at) {
    opcode_at_ = at;
    ++n_opcodes_;
  }

  void push(PickleValue value);
  void push_made_of(PickleValue::Kind kind, Refs parts) { push({.kind = kind, .parts = std::move(parts)}); }
  void push_tuple(size_t items);
  void push_global(std::string name);
  uint32_t pop();

  void mark() { marks_.push_back(stack_.size()); }
  Refs pop_to_mark();

  void append(const Refs& items);
  void set_items(const Refs& items);

  void remember(uint64_t place);
  void recall(uint64_t place);

  void reduce();
  void build();

  /// After the last opcode: what the pickle says. Bytes behind it begin at `end`.
  Pickle finish(size_t end);

  [[noreturn]] void fail_here(std::string_view expected, std::string_view found) const;

 private:
  PickleValue& top(PickleValue::Kind expected);
  Refs ordered_dict_items(const PickleValue& arguments) const;

  const std::string& path_;
  bool (*const is_known_)(std::string_view);
  size_t opcode_at_ = 0;
  uint64_t n_opcodes_ = 0;
  size_t n_parts_ = 0;  // of all values
  std::vector<PickleValue> values_;
  Refs stack_, memo_;
  std::vector<size_t> marks_;  // sizes of the stack
};

}  // namespace gptj
