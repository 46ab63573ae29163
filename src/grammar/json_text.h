#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "grammar/rules.h"

namespace gptj {

using OrderedJson = nlohmann::ordered_json;

/// Expressions for JSON text: strict (RFC 8259), valid UTF-8, and with little white space, so that it comes to an
/// end. After "{", "[" and "," and before "}" and "]" there is none, one space, or a new line and up to 20 spaces;
/// after ":" none or one.
class JsonText {
 public:
  /// Rules that expressions share are added to `rules`.
  explicit JsonText(Rules& rules) : rules_(rules) {}

  Expr space();
  Expr comma() { return sequence({bytes(","), space()}); }
  Expr colon() { return sequence({bytes(":"), optional(bytes(" "))}); }

  Expr string(uint32_t min_length, uint32_t max_length);  // in characters; a pair of \u escapes is one
  Expr value();                                           // any value

  /// This value, with characters escaped only where they must be.
  Expr literal(const OrderedJson& value);

  /// A string whose value is what `content` derives, which consists of characters and no rules. Escaped as in
  /// literal(), with hexadecimal digits in either case.
  Expr encoded(const Expr& content) { return sequence({bytes("\""), encoded_inside(content), bytes("\"")}); }

  /// A string, encoded in the same way, whose value is none of these.
  Expr string_other_than(const std::vector<std::string>& values);

  /// `inside` between braces or brackets, with white space after the opening one.
  Expr enclosed(const char* brackets, std::vector<Expr> inside);

 private:
  Expr shared(std::optional<uint32_t>& index, const char* name, Expr (JsonText::*make)());
  Expr make_space();
  Expr make_character();
  Expr make_value();
  Expr make_escape();
  Expr add_rule(const char* name, Expr expr);
  Expr encoded_chars(const CharSet& set);
  Expr encoded_inside(const Expr& content);
  Expr list_of(const char* brackets, const Expr& item);

  Rules& rules_;
  std::optional<uint32_t> space_, character_, value_, escape_;
};

}  // namespace gptj
