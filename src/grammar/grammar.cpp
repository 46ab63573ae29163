#include "gptj/grammar.h"

#include "grammar/compile.h"
#include "grammar/gbnf.h"
#include "grammar/json_schema.h"
#include "grammar/regex.h"

namespace gptj {

Grammar::Grammar(Automaton automaton) : automaton_(std::make_shared<const Automaton>(std::move(automaton))) {}

Grammar Grammar::gbnf(std::string_view text) {
  return Grammar(compile(parse_gbnf(text)));
}

Grammar Grammar::json_schema(std::string_view schema) {
  return Grammar(compile(rules_of_json_schema(schema)));
}

Grammar Grammar::regex(std::string_view pattern) {
  const std::string source = "regular expression";
  return Grammar(compile({.source = source, .rules = {{source, "column 1", parse_regex(pattern, source)}}}));
}

}  // namespace gptj
