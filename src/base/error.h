#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "base/quoted.h"
#include "gptj/error.h"

namespace gptj {

/// Throws an Error whose text is made by fmt: fail("{}: expected {} bytes, found {}", path, a, b).
template <typename... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(fmt::format(format, std::forward<Args>(args)...));
}

/// "Cannot open" and the like with the system's own reason: fail_errno("cannot open", path).
[[noreturn]] void fail_errno(std::string_view what, std::string_view path);

}  // namespace gptj
