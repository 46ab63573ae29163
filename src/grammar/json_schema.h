#pragma once

#include <string_view>

#include "grammar/rules.h"

namespace gptj {

/// Rules for the JSON that a schema allows, with its properties in one order and little white space:
/// docs/grammars.md. Throws Error, naming line and column of bad JSON, or the path of what is not supported.
Rules rules_of_json_schema(std::string_view text);

}  // namespace gptj
