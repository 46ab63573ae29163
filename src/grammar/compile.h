#pragma once

#include "grammar/automaton.h"
#include "grammar/rules.h"

namespace gptj {

/// Makes an automaton of rules. Throws Error, naming the rules, if the grammar is too large, derives no text, or has
/// left recursion.
Automaton compile(const Rules& rules);

}  // namespace gptj
