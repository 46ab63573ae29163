#include "io/pickle.h"

#include <optional>
#include <utility>

#include "base/error.h"
#include "io/pickle_machine.h"

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

class PickleReader {
 public:
  PickleReader(std::string_view bytes, size_t begin, const std::string& path,
               bool (*is_known)(std::string_view))
      : bytes_(bytes), at_(begin), machine_(path, is_known) {}

  Pickle read() {
    while (step()) {
    }
    return machine_.finish(at_);
  }

 private:
  bool step();
  std::optional<PickleValue> literal(Opcode opcode);
  void check_protocol();

  std::string_view take(uint64_t bytes);
  uint64_t number(unsigned bytes);
  int64_t signed_number(unsigned bytes);
  std::string_view line();

  const std::string_view bytes_;
  size_t at_;
  PickleMachine machine_;
};

/// Runs the next opcode. False: it is the last.
bool PickleReader::step() {
  machine_.begin_opcode(at_);
  const auto opcode = static_cast<Opcode>(number(1));
  if (std::optional<PickleValue> value = literal(opcode)) {
    machine_.push(*std::move(value));
    return true;
  }
  switch (opcode) {
    case Opcode::proto:
      check_protocol();
      break;
    case Opcode::stop:
      return false;
    case Opcode::mark:
      machine_.mark();
      break;
    case Opcode::empty_tuple:
      machine_.push_tuple(0);
      break;
    case Opcode::tuple:
      machine_.push_made_of(Kind::tuple, machine_.pop_to_mark());
      break;
    case Opcode::tuple1:
      machine_.push_tuple(1);
      break;
    case Opcode::tuple2:
      machine_.push_tuple(2);
      break;
    case Opcode::tuple3:
      machine_.push_tuple(3);
      break;
    case Opcode::empty_list:
      machine_.push_made_of(Kind::list, {});
      break;
    case Opcode::append:
      machine_.append({machine_.pop()});
      break;
    case Opcode::appends:
      machine_.append(machine_.pop_to_mark());
      break;
    case Opcode::empty_dict:
      machine_.push_made_of(Kind::dict, {});
      break;
    case Opcode::setitem: {
      const uint32_t value = machine_.pop(), key = machine_.pop();
      machine_.set_items({key, value});
      break;
    }
    case Opcode::setitems:
      machine_.set_items(machine_.pop_to_mark());
      break;
    case Opcode::binput:
      machine_.remember(number(1));
      break;
    case Opcode::long_binput:
      machine_.remember(number(4));
      break;
    case Opcode::binget:
      machine_.recall(number(1));
      break;
    case Opcode::long_binget:
      machine_.recall(number(4));
      break;
    case Opcode::global: {
      const std::string_view module = line(), name = line();
      machine_.push_global(fmt::format("{}.{}", module, name));
      break;
    }
    case Opcode::reduce:
      machine_.reduce();
      break;
    case Opcode::build:
      machine_.build();
      break;
    case Opcode::binpersid:
      machine_.push_made_of(Kind::persistent, {machine_.pop()});
      break;
    default:
      machine_.fail_here("an opcode that torch writes for weights",
                         fmt::format("{:#04x}", static_cast<unsigned>(opcode)));
  }
  return true;
}

/// The value that an opcode is or that stands behind it; nothing for other opcodes.
std::optional<PickleValue> PickleReader::literal(Opcode opcode) {
  const auto integer = [](int64_t value) { return PickleValue{.kind = Kind::integer, .integer = value}; };
  const auto text = [](std::string_view bytes) {
    return PickleValue{.kind = Kind::text, .text = std::string(bytes)};
  };
  switch (opcode) {
    case Opcode::none:
      return PickleValue{};
    case Opcode::newtrue:
      return PickleValue{.kind = Kind::boolean, .integer = 1};
    case Opcode::newfalse:
      return PickleValue{.kind = Kind::boolean};
    case Opcode::binint:
      return integer(signed_number(4));
    case Opcode::binint1:
      return integer(static_cast<int64_t>(number(1)));
    case Opcode::binint2:
      return integer(static_cast<int64_t>(number(2)));
    case Opcode::long1:
      return integer(signed_number(static_cast<unsigned>(number(1))));
    case Opcode::binunicode:
    case Opcode::binstring:
      return text(take(number(4)));
    case Opcode::short_binstring:
      return text(take(number(1)));
    default:
      return std::nullopt;
  }
}

void PickleReader::check_protocol() {
  if (const uint64_t protocol = number(1); protocol != 2) {
    machine_.fail_here("protocol 2, torch's", fmt::format("{}", protocol));
  }
}

std::string_view PickleReader::take(uint64_t bytes) {
  if (bytes > bytes_.size() - at_) {
    machine_.fail_here(fmt::format("{} more bytes", bytes),
                       fmt::format("{} that may be read", bytes_.size() - at_));
  }
  const std::string_view taken = bytes_.substr(at_, static_cast<size_t>(bytes));
  at_ += taken.size();
  return taken;
}

uint64_t PickleReader::number(unsigned bytes) {
  const std::string_view digits = take(bytes);
  uint64_t value = 0;
  for (size_t i = digits.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(digits[i]);
  return value;
}

int64_t PickleReader::signed_number(unsigned bytes) {
  if (bytes == 0) return 0;
  if (bytes > 8) machine_.fail_here("an integer of at most 8 bytes", fmt::format("{}", bytes));
  const unsigned unused = 64 - 8 * bytes;  // bits; shifting back repeats the sign in them
  return static_cast<int64_t>(number(bytes) << unused) >> unused;
}

std::string_view PickleReader::line() {
  const size_t end = bytes_.find('\n', at_);
  if (end == std::string_view::npos) machine_.fail_here("a line", "no end of it");
  const std::string_view text = take(end - at_);
  ++at_;
  return text;
}

}  // namespace

Pickle read_pickle(std::string_view bytes, size_t begin, const std::string& path,
                   bool (*is_known)(std::string_view global)) {
  return PickleReader(bytes, begin, path, is_known).read();
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
