#include "grammar/language.h"

namespace gptj {
namespace {

using test::Language;
using test::Mistake;

TEST(JsonSchema, Scalars) {
  const Language languages[] = {
      {R"({"type": "null"})", {"null"}, {"", "nul", "true"}},
      {R"({"type": "boolean"})", {"true", "false"}, {"null", "True"}},
      {R"({"type": ["boolean", "null"]})", {"true", "null"}, {"1"}},
      {R"({"type": "integer"})",
       {"0", "-1", "123456789012345678"},
       {"", "-", "-0", "01", "1.0", "1e3", "1234567890123456789"}},
      {R"({"type": "number"})",
       {"0", "-0", "-1.50", "1e3", "2.5E-03", "1e-288"},
       {"", ".5", "1.", "+1", "1e", "1e999", "01"}},
      {R"({"type": "string"})",
       {R"("")", R"("a b")", R"("\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00")", "\"\xc3\xa9\x7f\""},
       {R"(")", R"("a)", "\"\n\"", R"("\x")", R"("\ud83d")", R"("\ude00")", R"("\ud83d\u0041")", "\"\xff\"",
        R"("\u12")"}},
      {R"({"type": "string", "minLength": 2, "maxLength": 3})",
       {R"("ab")", "\"\xe4\xb8\xad\xc3\xa9\xf0\x9f\x98\x80\"", R"("\ud83d\ude00\n")"},
       {R"("a")", R"("abcd")", R"("\ud83d\ude00")"}},
      {R"({"enum": [1, "a\n\"é", null, [1, {"b": 2.5}], {}]})",
       {"1", R"("a\n\"é")", "null", R"([1,{"b":2.5}])", "[ 1, {\n  \"b\": 2.5 } ]", "{}"},
       {"2", R"("a")", "[1]", "[]"}},
      {R"({"const": {"a": [true]}})", {R"({"a":[true]})"}, {"{}"}},
      {R"({"type": "integer", "enum": [1, 2.0, 2.5, "a"]})", {"1", "2.0"}, {"2.5", "\"a\""}},
  };
  for (const auto& language : languages) expect_language(Grammar::json_schema(language.grammar), language);
}

TEST(JsonSchema, StringsByPattern) {
  const Language languages[] = {
      {R"({"type": "string", "pattern": "^a+$"})", {R"("a")", R"("aaa")"}, {R"("")", R"("ab")", "a"}},
      {R"({"pattern": "b"})", {R"("b")", R"("abc")", R"("\"b\n")"}, {R"("")", R"("ac")"}},
      {R"({"pattern": "^a|b$"})", {R"("ax")", R"("xb")"}, {R"("xa")"}},
      {R"({"pattern": "^[\"\\\\x\\n]*$"})", {R"("\"\\x\n")"}, {R"("y")", R"("\x")"}},
      {R"({"format": "date"})",
       {R"("2024-02-29")", R"("1999-12-31")", R"("2000-02-29")"},
       {R"("2023-02-29")", R"("1900-02-29")", R"("1999-04-31")", R"("1999-13-01")", R"("99-01-01")"}},
      {R"({"format": "date-time"})",
       {R"("2024-02-29T23:59:59Z")", R"("1999-12-31T00:00:00.125+01:30")"},
       {R"("2024-02-29")", R"("2024-02-29T24:00:00Z")", R"("2024-02-29T23:59:59")"}},
      {R"({"format": "time"})", {R"("12:00:00Z")"}, {R"("12:00Z")"}},
      {R"({"format": "uuid"})", {R"("123e4567-E89B-12d3-a456-426614174000")"}, {R"("123e4567")"}},
  };
  for (const auto& language : languages) expect_language(Grammar::json_schema(language.grammar), language);
}

TEST(JsonSchema, NumbersWithBounds) {
  const Language languages[] = {
      {R"({"type": "number", "minimum": 0})", {"0", "0.5", "12.25"}, {"-1", "1e3"}},
      {R"({"type": "number", "exclusiveMinimum": 0, "maximum": 1})",
       {"0.1", "0.001", "1", "1.0"},
       {"0", "0.0", "1.01", "-0.5"}},
      {R"({"type": "number", "minimum": -2, "exclusiveMaximum": -1})",
       {"-2", "-2.0", "-1.5", "-1.01"},
       {"-1", "-1.0", "-2.1", "1"}},
      {R"({"type": "number", "minimum": -1, "maximum": 12})",
       {"-1", "-0.5", "0", "11.9", "12"},
       {"-1.1", "12.1", "13"}},
      {R"({"type": "integer", "minimum": 1.5, "maximum": 3.5})", {"2", "3"}, {"1", "4"}},
      {R"({"type": "integer", "exclusiveMinimum": 1, "exclusiveMaximum": 3.0})", {"2"}, {"1", "3"}},
  };
  for (const auto& language : languages) expect_language(Grammar::json_schema(language.grammar), language);
}

/// All bounds of a small range, and some of large ones.
TEST(JsonSchema, IntegersWithBoundsAreExact) {
  const int numbers[] = {-1100, -1000, -999, -101, -100, -99, -11, -10, -9,  -1,  0,    1,
                         5,     9,     10,   11,   87,   99,  100, 101, 250, 999, 1000, 1234};
  for (const int low : numbers) {
    for (const int high : {low, low + 9, low + 1111}) {
      const Grammar grammar =
          Grammar::json_schema("{\"type\": \"integer\", \"minimum\": " + std::to_string(low) +
                               ", \"maximum\": " + std::to_string(high) + "}");
      std::vector<int> values = {low - 1, low, high, high + 1};
      values.insert(values.end(), std::begin(numbers), std::end(numbers));
      for (const int value : values) {
        EXPECT_EQ(test::accepts(grammar, test::byte_tokenizer(), std::to_string(value)),
                  low <= value && value <= high)
            << low << " <= " << value << " <= " << high;
      }
    }
  }
}

TEST(JsonSchema, Arrays) {
  const Language languages[] = {
      {R"({"type": "array"})",
       {"[]", "[ ]", "[1,\"a\", [null]]", "[\n  1,\n  2\n]"},
       {"[", "[1,]", "[1 ,2]", "[  1]"}},
      {R"({"items": {"type": "integer"}, "minItems": 1, "maxItems": 3})",
       {"[1]", "[1,2,3]"},
       {"[]", "[1,2,3,4]", "[true]"}},
      {R"({"items": {"type": "null"}, "minItems": 2})",
       {"[null,null]", "[null,null,null]"},
       {"[]", "[null]"}},
      {R"({"items": {"type": "null"}, "maxItems": 0})", {"[]"}, {"[null]"}},
      {R"({"items": false})", {"[]"}, {"[null]"}},
      {R"({"prefixItems": [{"const": 1}, {"const": 2}, {"const": 3}], "minItems": 2})",
       {"[1,2]", "[1, 2, 3]"},
       {"[]", "[1]", "[2,1]", "[1,2,3,4]"}},
      {R"({"prefixItems": [{"const": 1}], "items": {"const": 0}, "maxItems": 3})",
       {"[]", "[1]", "[1,0,0]"},
       {"[0]", "[1,0,0,0]"}},
      {R"({"prefixItems": [{"const": 1}, {"const": 2}], "maxItems": 1})", {"[]", "[1]"}, {"[1,2]"}},
      {R"({"prefixItems": [{"const": 1}], "items": {"const": 0}, "minItems": 3})",
       {"[1,0,0]", "[1,0,0,0]"},
       {"[1,0]", "[1]"}},
  };
  for (const auto& language : languages) expect_language(Grammar::json_schema(language.grammar), language);
}

TEST(JsonSchema, Objects) {
  const Language languages[] = {
      {R"({"type": "object"})",
       {"{}", "{ }", R"({"a": 1, "b":{}})", "{\n    \"a\": 1\n}"},
       {"{", R"({"a"})", R"({"a":1,})"}},
      {R"({"properties": {"z": {"const": 1}, "a": {"const": 2}, "m": {"const": 3}}, "required": ["a"]})",
       {R"({"a":2})", R"({"z":1,"a":2,"m":3})", R"({"z": 1, "a": 2})", R"({"a":2,"m":3})"},
       {"{}", R"({"z":1})", R"({"a":2,"z":1})", R"({"a":2,"b":1})", R"({"a":3})", R"({,"a":2})"}},
      {R"({"properties": {"a": {"const": 1}}, "additionalProperties": {"type": "boolean"}})",
       {"{}", R"({"a":1})", R"({"a":1,"b":true,"\"":false})", R"({"ab":true})", R"({"":true})"},
       {R"({"a":true})", R"({"b":1})", R"({"b":true,"a":true})", R"({"\u0061":true})"}},
      {R"({"additionalProperties": false})", {"{}"}, {R"({"a":1})"}},
      {R"({"properties": {"a": false, "b": {"const": 1}}})", {"{}", R"({"b":1})"}, {R"({"a":1})"}},
      {R"({"required": ["a"], "properties": {"b": {"const": 1}}})",
       {R"({"a":[]})", R"({"b":1,"a":0})"},
       {"{}", R"({"b":1})"}},
      {R"({"properties": {"a\"é/~": {"const": 1}}})", {R"({"a\"é/~":1})"}, {R"({"a":1})"}},
  };
  for (const auto& language : languages) expect_language(Grammar::json_schema(language.grammar), language);
}

TEST(JsonSchema, Combinations) {
  const Language languages[] = {
      {R"({"anyOf": [{"const": 1}, {"type": "string", "maxLength": 1}, false]})",
       {"1", R"("a")"},
       {"2", R"("ab")"}},
      {R"({"oneOf": [{"type": "string"}, {"type": "integer"}]})", {"1", R"("a")"}, {"null"}},
      {R"({"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"], "anyOf": [{"properties": {"a": {"const": 1}},
          "required": ["a"]}, {"properties": {"b": {"const": 2}}, "required": ["b"]}]})",
       {R"({"id":1,"a":1})", R"({"id":1,"b":2})"},
       {R"({"id":1})", R"({"a":1})"}},
      {R"({"oneOf": [{"properties": {"k": {"const": "a"}, "x": {"type": "null"}}, "required": ["k"], "type": "object"},
          {"properties": {"k": {"const": "b"}}, "required": ["k"], "type": "object"}]})",
       {R"({"k":"a","x":null})", R"({"k":"b"})"},
       {R"({"k":"c"})", R"({"k":"b","x":null})"}},
      {R"({"allOf": [{"properties": {"a": {"type": "integer", "minimum": 1}}}, {"properties": {"a": {"maximum": 3}, "b": {"const": 0}},
          "required": ["b"]}]})",
       {R"({"a":2,"b":0})", R"({"b":0})"},
       {R"({"a":4,"b":0})", R"({"a":2})"}},
      {R"({"allOf": [{"type": ["string", "integer"]}, {"enum": ["a", 1, null]}, {"enum": ["b", 1, "a"]}]})",
       {"1", R"("a")"},
       {"null", R"("b")"}},
      {R"({"allOf": [{"type": "object", "properties": {"a": {"const": 1}}, "additionalProperties": false}, {"properties": {"b": {"const": 1}}}]})",
       {R"({"a":1})", "{}"},
       {R"({"b":1})", R"({"a":1,"b":1})"}},
      {R"({"$ref": "#/definitions/x%20y~1z", "definitions": {"x y/z": {"const": 1}}})", {"1"}, {"2"}},
      {R"({"type": "object", "properties": {"next": {"$ref": "#"}, "v": {"const": 0}}})",
       {"{}", R"({"next":{"next":{"v":0}},"v":0})"},
       {R"({"next":1})"}},
      {R"({"$ref": "#/$defs/tree", "$defs": {"tree": {"type": "array", "items": {"$ref": "#/$defs/tree"}}}})",
       {"[]", "[[],[[]]]"},
       {"[1]"}},
      {R"({"properties": {"a": {"$ref": "#", "required": ["b"]}, "b": {"const": 1}}})",
       {"{}", R"({"a":{"b":1}})", R"({"a":{"a":{"b":1},"b":1}})"},
       {R"({"a":{}})"}},
      {"true", {"1", "{\"a\":[null,true,\"x\"]}", "[]"}, {"", "tru", "[1"}},
      {R"({"title": "t", "description": "d", "default": 1, "examples": [], "$schema": "s", "$id": "i", "x-mine": 1})",
       {"1", "[]"},
       {"x"}},
  };
  for (const auto& language : languages) expect_language(Grammar::json_schema(language.grammar), language);
}

TEST(JsonSchema, MistakesNameThePlace) {
  const Mistake mistakes[] = {
      {"{\"a\":\n  1,,}", "JSON schema: line 2, column 5: expected JSON, found a mistake"},
      {"", "JSON schema: line 1, column 1: expected JSON, found a mistake"},
      {"3", "JSON schema: #: expected a schema, found '3'"},
      {R"({"title": "a", "title": "b"})", "JSON schema: the key 'title' appears twice in one object"},
      {R"({"properties": {"a/b": {"not": {}}}})",
       "JSON schema: #/properties/a~1b: the keyword 'not' is not supported"},
      {R"({"items": {"uniqueItems": true}})",
       "JSON schema: #/items/uniqueItems: expected false, for true is not supported, found 'true'"},
      {R"({"type": "text"})",
       "JSON schema: #/type: expected null, boolean, string, array, object, integer, number or a list of "
       "these, found '\"text\"'"},
      {R"({"minLength": -1})", "JSON schema: #/minLength: expected a whole number up to 1000000, found '-1'"},
      {R"({"type": "string", "maxLength": 500000})",
       "JSON schema: #: expands to more than 300000 transitions; write smaller bounds"},
      {R"x({"properties": {"a": {"pattern": "a(?=b)"}}})x",
       "JSON schema: #/properties/a/pattern: column 2: lookaround, '?=', is not supported"},
      {R"({"format": "email"})",
       "JSON schema: #/format: expected date, time, date-time or uuid, found 'email'"},
      {R"({"pattern": "a", "minLength": 1})",
       "JSON schema: #: two of 'pattern', 'format' and bounds of the length at once are not supported"},
      {R"({"type": "number", "minimum": 0.5})",
       "JSON schema: #/minimum: expected a whole number of at most 14 digits, for bounds of numbers are "
       "compared digit by digit, found "
       "0.5"},
      {R"({"anyOf": [{}], "oneOf": [{}]})", "JSON schema: #: 'anyOf' beside 'oneOf' is not supported"},
      {R"({"oneOf": [{"type": "integer"}, {"type": "number"}]})",
       "JSON schema: #/oneOf: options 0 and 1 might both be valid for a value; write anyOf if they may be, "
       "or "
       "a required property with "
       "another const in each"},
      {R"({"enum": ["a"], "minLength": 1})",
       "JSON schema: #: 'minLength' beside enum or const is not supported"},
      {R"({"allOf": [{"pattern": "a"}, {"pattern": "b"}]})",
       "JSON schema: #: two different 'pattern' at once are not supported"},
      {R"({"$ref": "other.json"})",
       "JSON schema: #: $ref: expected a place in this schema (#/$defs/...), found 'other.json'"},
      {R"({"items": {"$ref": "#/$defs/a"}})", "JSON schema: #/items: $ref: there is no '#/$defs/a'"},
      {"false", "JSON schema: #: '#' derives no text: each of its alternatives is impossible or has no end"},
      {R"({"type": "integer", "minimum": 2, "maximum": 1})",
       "JSON schema: #: '#' derives no text: each of its alternatives is impossible or has no end"},
      {R"({"required": ["a"], "properties": {"a": {"$ref": "#"}}})",
       "JSON schema: #: '#' derives no text: each of its alternatives is impossible or has no end"},
      {R"({"anyOf": [{"$ref": "#"}, {"type": "null"}]})",
       "JSON schema: #: left recursion, '#' -> '#': a rule may use itself only behind something else"},
      {R"({"allOf": [{"$ref": "#"}]})", "JSON schema: #: more than 32 schemas that refer to each other"},
  };
  for (const auto& mistake : mistakes) expect_mistake(Grammar::json_schema, mistake);
}

/// Schemas of which each is two of the next: nothing may write them all out.
TEST(JsonSchema, DoublingReferencesStaySmall) {
  std::string schema = R"({"$ref": "#/$defs/d0", "$defs": {)";
  for (int i = 0; i < 60; ++i) {
    const std::string next = R"({"$ref": "#/$defs/d)" + std::to_string(i + 1) + "\"}";
    schema += "\"d" + std::to_string(i) + R"(": {"type": "object", "properties": {"a": )" + next +
              ", \"b\": " + next + "}},";
  }
  schema += R"("d60": {"type": "null"}}})";
  EXPECT_TRUE(test::accepts(Grammar::json_schema(schema), test::byte_tokenizer(), R"({"b":{"a":{}}})"));
  std::string arrays = "{\"type\": \"null\"}";
  for (int i = 0; i < 30; ++i) arrays = "{\"items\": " + arrays + "}";
  EXPECT_TRUE(test::accepts(Grammar::json_schema(arrays), test::byte_tokenizer(), "[[[],[]]]"));
}

}  // namespace
}  // namespace gptj
