#pragma once

#include <string>
#include <string_view>

#include "grammar/rules.h"

namespace gptj {

/// The texts that a regular expression matches as a whole, or, with `search`, those in which it matches a part.
/// Consists of characters and no rules. Throws Error, which begins with `source` and names the column.
Expr parse_regex(std::string_view pattern, const std::string& source, bool search = false);

}  // namespace gptj
