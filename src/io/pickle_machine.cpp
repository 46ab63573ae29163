#include "io/pickle_machine.h"

#include <utility>

#include "base/error.h"

namespace gptj {
namespace {

using Kind = PickleValue::Kind;

constexpr std::string_view kOrderedDict = "collections.OrderedDict";

}  // namespace

void PickleMachine::push(PickleValue value) {
  constexpr size_t kMaxValues = 1 << 18;  // the weights of the largest models need 1 << 15
  constexpr size_t kMaxParts = 1 << 20;   // an OrderedDict copies a list, which may happen again and again
  n_parts_ += value.parts.size();
  if (values_.size() == kMaxValues) fail_here(fmt::format("at most {} values", kMaxValues), "more");
  if (n_parts_ > kMaxParts) fail_here(fmt::format("at most {} parts of values", kMaxParts), "more");
  stack_.push_back(static_cast<uint32_t>(values_.size()));
  values_.push_back(std::move(value));
}

uint32_t PickleMachine::pop() {
  if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) fail_here("a value on the stack", "none");
  const uint32_t value = stack_.back();
  stack_.pop_back();
  return value;
}

PickleMachine::Refs PickleMachine::pop_to_mark() {
  if (marks_.empty()) fail_here("a mark on the stack", "none");
  const auto mark = stack_.begin() + static_cast<ptrdiff_t>(marks_.back());
  Refs popped(mark, stack_.end());
  stack_.erase(mark, stack_.end());
  marks_.pop_back();
  return popped;
}

PickleValue& PickleMachine::top(Kind expected) {
  const uint32_t value = pop();
  stack_.push_back(value);
  const Kind found = values_[value].kind;
  if (found != expected) fail_here(kind_name(expected), kind_name(found));
  return values_[value];
}

void PickleMachine::push_tuple(size_t items) {
  Refs parts(items);
  for (size_t i = items; i-- > 0;) parts[i] = pop();
  push_made_of(Kind::tuple, std::move(parts));
}

void PickleMachine::append(const Refs& items) {
  Refs& list = top(Kind::list).parts;
  list.insert(list.end(), items.begin(), items.end());
}

void PickleMachine::set_items(const Refs& items) {
  if (items.size() % 2 != 0) fail_here("keys and values", "an odd number of them");
  Refs& dict = top(Kind::dict).parts;
  dict.insert(dict.end(), items.begin(), items.end());
}

void PickleMachine::remember(uint64_t place) {
  // Python numbers what it remembers, so no number can be larger than that of the opcodes so far.
  if (place >= n_opcodes_) fail_here("a number below that of the opcodes", fmt::format("{}", place));
  constexpr uint32_t kNothing = ~0U;
  if (place >= memo_.size()) memo_.resize(static_cast<size_t>(place) + 1, kNothing);
  memo_[static_cast<size_t>(place)] = pop();
  stack_.push_back(memo_[static_cast<size_t>(place)]);
}

void PickleMachine::recall(uint64_t place) {
  if (place >= memo_.size() || memo_[static_cast<size_t>(place)] >= values_.size()) {
    fail_here("a number of something remembered", fmt::format("{}", place));
  }
  stack_.push_back(memo_[static_cast<size_t>(place)]);
}

void PickleMachine::push_global(std::string name) {
  if (name != kOrderedDict && !is_known_(name)) {
    fail_here("only what weights need", fmt::format("{}, which is not looked up", quoted(name)));
  }
  push({.kind = Kind::global, .text = std::move(name)});
}

void PickleMachine::reduce() {
  const uint32_t arguments = pop(), function = pop();
  if (values_[arguments].kind != Kind::tuple) {
    fail_here("a tuple of arguments", kind_name(values_[arguments].kind));
  }
  if (values_[function].kind != Kind::global) fail_here("a global", kind_name(values_[function].kind));
  if (values_[function].text == kOrderedDict) {
    return push_made_of(Kind::dict, ordered_dict_items(values_[arguments]));
  }
  push_made_of(Kind::call, {function, arguments});
}

/// Python 2 gave an OrderedDict its items as a list of pairs, Python 3 sets them afterwards.
PickleMachine::Refs PickleMachine::ordered_dict_items(const PickleValue& arguments) const {
  Refs items;
  if (arguments.parts.empty()) return items;
  const PickleValue& list = values_[arguments.parts[0]];
  if (arguments.parts.size() != 1 || list.kind != Kind::list) {
    fail_here("an OrderedDict of one list", "other arguments");
  }
  for (const uint32_t pair : list.parts) {
    const PickleValue& item = values_[pair];
    if ((item.kind != Kind::list && item.kind != Kind::tuple) || item.parts.size() != 2) {
      fail_here("an OrderedDict of pairs", kind_name(item.kind));
    }
    items.insert(items.end(), item.parts.begin(), item.parts.end());
  }
  return items;
}

/// Gives an object attributes. Of what weights are made of only the state_dict has one: the versions of its modules.
void PickleMachine::build() {
  const PickleValue& state = values_[pop()];
  top(Kind::dict);
  if (state.kind != Kind::dict || state.parts.size() != 2 || values_[state.parts[0]].text != "_metadata") {
    fail_here("only the attribute _metadata of an OrderedDict", "another");
  }
}

Pickle PickleMachine::finish(size_t end) {
  const uint32_t root = pop();
  if (!stack_.empty() || !marks_.empty()) fail_here("nothing but its result at the end", "more");
  return {std::move(values_), root, end};
}

void PickleMachine::fail_here(std::string_view expected, std::string_view found) const {
  fail("{}: pickle: byte {}: expected {}, found {}", quoted(path_), opcode_at_, expected, found);
}

}  // namespace gptj
