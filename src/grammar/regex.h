#pragma once

#include <string>
#include <string_view>

#include "grammar/rules.h"

namespace gptj {

/// What a regular expression matches: the whole text, or, as `search`, any text in which it matches a part. Of classes and
/// literals only, no rules. Throws Error, which begins with `source` and names the column.
Expr parse_regex(std::string_view pattern, const std::string& source, bool search = false);

}  // namespace gptj
