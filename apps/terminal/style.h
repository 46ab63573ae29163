#pragma once

#include <string_view>

namespace gptj::apps {

/// Escape sequences for a terminal's colours; empty where there are none.
struct Style {
  std::string_view prompt, input, note, error, end;
};

/// For standard error: colours on a terminal that has them, unless the user wants none (NO_COLOR, no-color.org).
Style error_style();

}  // namespace gptj::apps
