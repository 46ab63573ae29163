#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gptj {

/// A value of a pickle. What Python would call when it reads one is here only named, with its arguments.
struct PickleValue {
  enum class Kind { none, boolean, integer, text, tuple, list, dict, global, call, persistent };

  Kind kind = Kind::none;
  int64_t integer = 0;               // of a boolean 0 or 1
  std::string text = {};             // of a global its name: "torch._utils._rebuild_tensor_v2"
  std::vector<uint32_t> parts = {};  // values that it is made of, see Pickle::part()
};

/// What a pickle says, as torch writes them: Python's protocol 2. All values lie in one list and name each other by
/// their place in it, so neither a deep nor an endless structure costs anything but its bytes.
struct Pickle {
  std::vector<PickleValue> values;
  uint32_t root;
  size_t end;  // where the bytes behind it begin

  /// The items of a tuple or list; the keys and values of a dict in turn (an OrderedDict is one, too); the function of a
  /// call and the tuple of its arguments; the id of something that is stored elsewhere.
  const PickleValue& part(const PickleValue& of, size_t i) const { return values[of.parts[i]]; }
};

/// Of a file at most so many bytes are taken for its pickles: those of the largest models have 0.5 MB.
inline constexpr size_t kMaxPickleBytes = 4 << 20;

/// Reads the pickle that begins at `begin` of `bytes`. Nothing is executed: it is data in a language of a few opcodes, and
/// it may name nothing but the globals that `is_known` knows. Throws Error, naming `path`.
Pickle read_pickle(std::string_view bytes, size_t begin, const std::string& path,
                   bool (*is_known)(std::string_view global));

/// "a tuple", "an integer", ... for messages.
std::string_view kind_name(PickleValue::Kind kind);

}  // namespace gptj
