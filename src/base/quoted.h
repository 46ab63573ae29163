#pragma once

#include <string>
#include <string_view>

namespace gptj {

/// `bytes` as they can be shown on a terminal and told apart: valid UTF-8 as it is, but control characters,
/// quotes, backslashes and all other bytes escaped as in C.
std::string escaped(std::string_view bytes);

/// The same in quotes and cut at 100 bytes: for messages, a name that comes from a file or a user. An object,
/// since a call of a function with a std::string would be ambiguous wherever std::quoted is declared
/// (<iomanip>, <filesystem>).
struct Quoted {
  std::string operator()(std::string_view name) const;
};
inline constexpr Quoted quoted{};

}  // namespace gptj
