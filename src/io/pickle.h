#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gptj {

/// A value of a pickle. What Python would call when reading it is only named here, with its arguments.
struct PickleValue {
  enum class Kind { none, boolean, integer, text, tuple, list, dict, global, call, persistent };

  Kind kind = Kind::none;
  int64_t integer = 0;               // of a boolean 0 or 1
  std::string text = {};             // of a global its name: "torch._utils._rebuild_tensor_v2"
  std::vector<uint32_t> parts = {};  // values of which it is made, see Pickle::part()
};

/// The content of a pickle as torch writes it, in Python's protocol 2. All values lie in one list and refer to each
/// other by their place in it, so neither deep nor cyclic structures cost more than their bytes.
struct Pickle {
  std::vector<PickleValue> values;
  uint32_t root;
  size_t end;  // of its bytes

  /// The i-th part of a value: an item of a tuple or list; a key or value, in turn, of a dict or OrderedDict; the
  /// function and the tuple of arguments of a call; the id of something that is stored elsewhere.
  const PickleValue& part(const PickleValue& of, size_t i) const { return values[of.parts[i]]; }
};

/// The most bytes that pickles of a file may have: those of the largest models have 0.5 MB.
inline constexpr size_t kMaxPickleBytes = 4 << 20;

/// Reads the pickle that begins at byte `begin`. Nothing is executed: a few opcodes describe data, and the only
/// globals that may be named are those that `is_known` knows, and OrderedDict. Throws Error, naming `path`.
Pickle read_pickle(std::string_view bytes, size_t begin, const std::string& path,
                   bool (*is_known)(std::string_view global));

/// "a tuple", "an integer", ... for messages.
std::string_view kind_name(PickleValue::Kind kind);

}  // namespace gptj
