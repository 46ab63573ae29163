#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "grammar/char_set.h"

namespace gptj {

/// The most transitions that a grammar's automaton may have when repetitions are written out: 1,000 times those of
/// JSON, and some ten megabytes.
inline constexpr uint64_t kMaxGrammarSize = 300'000;

/// One side of a rule. Made by the functions below.
struct Expr {
  enum class Kind : uint8_t { bytes, chars, sequence, choice, repeat, rule };
  static constexpr uint32_t kUnbounded = ~uint32_t{0};

  Kind kind = Kind::bytes;
  uint32_t min = 0, max = 0;  // of a repeat
  uint32_t rule = 0;          // index in Rules
  uint64_t size = 1;          // transitions when it is expanded, at least
  std::string bytes;
  CharSet chars;
  std::vector<Expr> parts;  // of a repeat: one
};

Expr bytes(std::string text);  // empty: the empty text
Expr chars(CharSet set);       // one of these characters
Expr sequence(std::vector<Expr> parts);
Expr choice(std::vector<Expr> parts);  // without parts: no text at all
Expr repeat(Expr part, uint32_t min, uint32_t max = Expr::kUnbounded);
Expr optional(Expr part);
Expr rule(uint32_t index);

struct Rule {
  std::string name;
  std::string where;  // for messages: "line 3, column 1"
  Expr expr;
};

/// A grammar as its text says it, whatever the language. Rule 0 is the root.
struct Rules {
  std::string source;  // for messages: "grammar"
  std::vector<Rule> rules;
  bool every_rule_must_end = false;  // else only the root must derive a text
};

}  // namespace gptj
