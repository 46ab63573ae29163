#pragma once

#include <string>
#include <string_view>

namespace gptj {

/// `bytes` made safe to show on a terminal: valid UTF-8 as it is, but control characters, quotes, backslashes and all
/// other bytes escaped as in C.
std::string escaped(std::string_view bytes);

/// The same in quotes and cut at 100 bytes: in messages, for names that come from a file or a user. An object,
/// because a function called with a std::string would be ambiguous wherever std::quoted is declared (<iomanip>,
/// <filesystem>).
struct Quoted {
  std::string operator()(std::string_view name) const;
};
inline constexpr Quoted quoted{};

}  // namespace gptj
