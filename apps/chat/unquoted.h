#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gptj::apps {

/// What stands between the quotes of "TEXT", with \n, \t, \" and \\ for what they mean; nothing if it is not written so.
std::optional<std::string> unquoted(std::string_view text);

/// Without spaces, tabs and carriage returns around it.
std::string_view trimmed(std::string_view text);

}  // namespace gptj::apps
