#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gptj::apps {

inline constexpr std::string_view kSpace = " \t\r\n";

/// What stands between the quotes of "TEXT", with \n, \t, \" and \\ for what they mean; nothing if it is not written so.
std::optional<std::string> unquoted(std::string_view text);

/// Without the white space around it.
std::string_view trimmed(std::string_view text);

}  // namespace gptj::apps
