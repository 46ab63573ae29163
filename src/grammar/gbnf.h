#pragma once

#include <string_view>

#include "grammar/rules.h"

namespace gptj {

/// Parses llama.cpp's dialect of GBNF (its grammars/README.md). Throws Error, naming line and column.
Rules parse_gbnf(std::string_view text);

}  // namespace gptj
