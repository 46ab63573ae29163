#include "io/pickle.h"

#include <utility>

#include "base/error.h"

namespace gptj {
namespace {

using Kind = PickleValue::Kind;

/// THE list of opcodes, by the names of Python's pickletools. Python 2 wrote the two strings.
enum class Opcode : uint8_t {
  proto = 0x80,
  stop = '.',
  mark = '(',
  none = 'N',
  newtrue = 0x88,
  newfalse = 0x89,
  binint = 'J',
  binint1 = 'K',
  binint2 = 'M',
  long1 = 0x8a,
  binunicode = 'X',
  binstring = 'T',
  short_binstring = 'U',
  empty_tuple = ')',
  tuple = 't',
  tuple1 = 0x85,
  tuple2 = 0x86,
  tuple3 = 0x87,
  empty_list = ']',
  append = 'a',
  appends = 'e',
  empty_dict = '}',
  setitem = 's',
  setitems = 'u',
  binput = 'q',
  long_binput = 'r',
  binget = 'h',
  long_binget = 'j',
  global = 'c',
  reduce = 'R',
  build = 'b',
  binpersid = 'Q',
};

constexpr std::string_view kOrderedDict = "collections.OrderedDict";

/// The machine for which a pickle is the program: a stack, marks in it, and a memo of values to use again.
class Machine {
 public:
  using Refs = std::vector<uint32_t>;  // places in `values`

  Machine(std::string_view bytes, size_t begin, const std::string& path, bool (*is_known)(std::string_view))
      : bytes_(bytes), at_(begin), path_(path), is_known_(is_known) {}

  Pickle run() {
    for (bool more = true; more; ++n_opcodes_) more = step();
    const uint32_t root = pop();
    if (!stack_.empty() || !marks_.empty()) fail_here("nothing but its result at the end", "more");
    return {std::move(values_), root, at_};
  }

 private:
  bool step();  // false: it is the last

  // The bytes.
  std::string_view take(uint64_t bytes);
  uint64_t number(unsigned bytes);
  int64_t signed_number(unsigned bytes);
  std::string_view line();

  // The stack.
  void push(PickleValue value);
  void push_made_of(Kind kind, Refs parts) { push({.kind = kind, .parts = std::move(parts)}); }
  void push_tuple(size_t items);
  uint32_t pop();
  Refs pop_to_mark();
  PickleValue& top(Kind expected);

  // What opcodes do.
  void check_protocol();
  void append(const Refs& items);
  void set_items(const Refs& items);
  void remember(uint64_t place);
  void recall(uint64_t place);
  void push_global();
  void reduce();
  void build();
  Refs ordered_dict_items(const PickleValue& arguments) const;

  [[noreturn]] void fail_here(std::string_view expected, std::string_view found) const {
    fail("{}: pickle: byte {}: expected {}, found {}", quoted(path_), opcode_at_, expected, found);
  }

  const std::string_view bytes_;
  size_t at_;
  size_t opcode_at_ = 0;  // of the one at hand, for messages
  uint64_t n_opcodes_ = 0;
  size_t n_parts_ = 0;
  const std::string& path_;
  bool (*const is_known_)(std::string_view);
  std::vector<PickleValue> values_;
  Refs stack_, memo_;
  std::vector<size_t> marks_;  // sizes of the stack
};

std::string_view Machine::take(uint64_t bytes) {
  if (bytes > bytes_.size() - at_) {
    fail_here(fmt::format("{} more bytes", bytes), fmt::format("{} that may be read", bytes_.size() - at_));
  }
  const std::string_view taken = bytes_.substr(at_, static_cast<size_t>(bytes));
  at_ += taken.size();
  return taken;
}

uint64_t Machine::number(unsigned bytes) {
  const std::string_view digits = take(bytes);
  uint64_t value = 0;
  for (size_t i = digits.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(digits[i]);
  return value;
}

int64_t Machine::signed_number(unsigned bytes) {
  if (bytes == 0) return 0;
  if (bytes > 8) fail_here("an integer of at most 8 bytes", fmt::format("{}", bytes));
  const unsigned unused = 64 - 8 * bytes;  // bits; shifting back repeats the sign in them
  return static_cast<int64_t>(number(bytes) << unused) >> unused;
}

std::string_view Machine::line() {
  const size_t end = bytes_.find('\n', at_);
  if (end == std::string_view::npos) fail_here("a line", "no end of it");
  const std::string_view text = take(end - at_);
  ++at_;
  return text;
}

void Machine::push(PickleValue value) {
  constexpr size_t kMaxValues = 1 << 18;  // the weights of the largest models need 1 << 15
  constexpr size_t kMaxParts = 1 << 20;   // an OrderedDict copies a list, which may happen again and again
  n_parts_ += value.parts.size();
  if (values_.size() == kMaxValues) fail_here(fmt::format("at most {} values", kMaxValues), "more");
  if (n_parts_ > kMaxParts) fail_here(fmt::format("at most {} parts of values", kMaxParts), "more");
  stack_.push_back(static_cast<uint32_t>(values_.size()));
  values_.push_back(std::move(value));
}

uint32_t Machine::pop() {
  if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) fail_here("a value on the stack", "none");
  const uint32_t value = stack_.back();
  stack_.pop_back();
  return value;
}

Machine::Refs Machine::pop_to_mark() {
  if (marks_.empty()) fail_here("a mark on the stack", "none");
  const auto mark = stack_.begin() + static_cast<ptrdiff_t>(marks_.back());
  Refs popped(mark, stack_.end());
  stack_.erase(mark, stack_.end());
  marks_.pop_back();
  return popped;
}

PickleValue& Machine::top(Kind expected) {
  const uint32_t value = pop();
  stack_.push_back(value);
  const Kind found = values_[value].kind;
  if (found != expected) fail_here(kind_name(expected), kind_name(found));
  return values_[value];
}

void Machine::push_tuple(size_t items) {
  Refs parts(items);
  for (size_t i = items; i-- > 0;) parts[i] = pop();
  push_made_of(Kind::tuple, std::move(parts));
}

void Machine::check_protocol() {
  if (const uint64_t protocol = number(1); protocol != 2) {
    fail_here("protocol 2, torch's", fmt::format("{}", protocol));
  }
}

void Machine::append(const Refs& items) {
  Refs& list = top(Kind::list).parts;
  list.insert(list.end(), items.begin(), items.end());
}

void Machine::set_items(const Refs& items) {
  if (items.size() % 2 != 0) fail_here("keys and values", "an odd number of them");
  Refs& dict = top(Kind::dict).parts;
  dict.insert(dict.end(), items.begin(), items.end());
}

void Machine::remember(uint64_t place) {
  // Python numbers what it remembers, so no number can be larger than that of the opcodes so far.
  if (place > n_opcodes_) fail_here("a number below that of the opcodes", fmt::format("{}", place));
  constexpr uint32_t kNothing = ~0U;
  if (place >= memo_.size()) memo_.resize(static_cast<size_t>(place) + 1, kNothing);
  memo_[static_cast<size_t>(place)] = pop();
  stack_.push_back(memo_[static_cast<size_t>(place)]);
}

void Machine::recall(uint64_t place) {
  if (place >= memo_.size() || memo_[static_cast<size_t>(place)] >= values_.size()) {
    fail_here("a number of something remembered", fmt::format("{}", place));
  }
  stack_.push_back(memo_[static_cast<size_t>(place)]);
}

void Machine::push_global() {
  std::string name(line());
  name.append(1, '.').append(line());
  if (name != kOrderedDict && !is_known_(name)) {
    fail_here("only what weights need", fmt::format("{}, which is not looked up", quoted(name)));
  }
  push({.kind = Kind::global, .text = std::move(name)});
}

void Machine::reduce() {
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
Machine::Refs Machine::ordered_dict_items(const PickleValue& arguments) const {
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
void Machine::build() {
  const PickleValue& state = values_[pop()];
  top(Kind::dict);
  if (state.kind != Kind::dict || state.parts.size() != 2 || values_[state.parts[0]].text != "_metadata") {
    fail_here("only the attribute _metadata of an OrderedDict", "another");
  }
}

bool Machine::step() {
  opcode_at_ = at_;
  const auto opcode = static_cast<Opcode>(number(1));
  switch (opcode) {
    case Opcode::proto:
      check_protocol();
      break;
    case Opcode::stop:
      return false;
    case Opcode::mark:
      marks_.push_back(stack_.size());
      break;
    case Opcode::none:
      push({});
      break;
    case Opcode::newtrue:
      push({.kind = Kind::boolean, .integer = 1});
      break;
    case Opcode::newfalse:
      push({.kind = Kind::boolean});
      break;
    case Opcode::binint:
      push({.kind = Kind::integer, .integer = signed_number(4)});
      break;
    case Opcode::binint1:
      push({.kind = Kind::integer, .integer = static_cast<int64_t>(number(1))});
      break;
    case Opcode::binint2:
      push({.kind = Kind::integer, .integer = static_cast<int64_t>(number(2))});
      break;
    case Opcode::long1: {
      const auto bytes = static_cast<unsigned>(number(1));
      push({.kind = Kind::integer, .integer = signed_number(bytes)});
      break;
    }
    case Opcode::binunicode:
    case Opcode::binstring:
      push({.kind = Kind::text, .text = std::string(take(number(4)))});
      break;
    case Opcode::short_binstring:
      push({.kind = Kind::text, .text = std::string(take(number(1)))});
      break;
    case Opcode::empty_tuple:
      push_tuple(0);
      break;
    case Opcode::tuple:
      push_made_of(Kind::tuple, pop_to_mark());
      break;
    case Opcode::tuple1:
      push_tuple(1);
      break;
    case Opcode::tuple2:
      push_tuple(2);
      break;
    case Opcode::tuple3:
      push_tuple(3);
      break;
    case Opcode::empty_list:
      push_made_of(Kind::list, {});
      break;
    case Opcode::append:
      append({pop()});
      break;
    case Opcode::appends:
      append(pop_to_mark());
      break;
    case Opcode::empty_dict:
      push_made_of(Kind::dict, {});
      break;
    case Opcode::setitem: {
      const uint32_t value = pop(), key = pop();
      set_items({key, value});
      break;
    }
    case Opcode::setitems:
      set_items(pop_to_mark());
      break;
    case Opcode::binput:
      remember(number(1));
      break;
    case Opcode::long_binput:
      remember(number(4));
      break;
    case Opcode::binget:
      recall(number(1));
      break;
    case Opcode::long_binget:
      recall(number(4));
      break;
    case Opcode::global:
      push_global();
      break;
    case Opcode::reduce:
      reduce();
      break;
    case Opcode::build:
      build();
      break;
    case Opcode::binpersid:
      push_made_of(Kind::persistent, {pop()});
      break;
    default:
      fail_here("an opcode that torch writes for weights",
                fmt::format("{:#04x}", static_cast<unsigned>(opcode)));
  }
  return true;
}

}  // namespace

Pickle read_pickle(std::string_view bytes, size_t begin, const std::string& path,
                   bool (*is_known)(std::string_view global)) {
  return Machine(bytes, begin, path, is_known).run();
}

std::string_view kind_name(PickleValue::Kind kind) {
  switch (kind) {
    case Kind::none:
      return "None";
    case Kind::boolean:
      return "a boolean";
    case Kind::integer:
      return "an integer";
    case Kind::text:
      return "a text";
    case Kind::tuple:
      return "a tuple";
    case Kind::list:
      return "a list";
    case Kind::dict:
      return "a dict";
    case Kind::global:
      return "a global";
    case Kind::call:
      return "a call";
    case Kind::persistent:
      return "a persistent id";
  }
  return "?";
}

}  // namespace gptj
