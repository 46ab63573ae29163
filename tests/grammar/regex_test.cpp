#include <regex>

#include "grammar/language.h"

namespace gptj {
namespace {

using test::Language;
using test::Mistake;

TEST(Regex, Languages) {
  const Language languages[] = {
      {"", {""}, {"a"}},
      {"a|bc|", {"a", "bc", ""}, {"ab", "b"}},
      {"^(?:ab?)+$", {"a", "abaab"}, {"", "b", "abb"}},
      {"^a|b$", {"a", "b"}, {"ab"}},
      {"\\d{3}-\\w+?\\s*", {"123-a_Z9 \t\n"}, {"12-a", "123-", "123-\xc3\xa9"}},
      {"[^\\d\\s]{2,}", {"ab", "\xc3\xa9\xe4\xb8\xad"}, {"a", "a1", "a b"}},
      {"[a-z\\-\\].$^]*", {"a-].$^"}, {"A", "["}},
      {"\\D\\W\\S", {"a-b", "\xc3\xa9\xc3\xa9\xc3\xa9"}, {"1-b", "aab", "a- "}},
      {".", {"a", "\xf0\x9f\x98\x80"}, {"", "\n", "ab", "\xe2\x80\xa8"}},
      {"\\x41\\u4e2d\\.\\{\\/", {"A\xe4\xb8\xad.{/"}, {"A"}},
      {"a{2}b{1,}c{0,1}", {"aab", "aabbbc"}, {"ab", "aabcc"}},
      {"(a|b)*a(a|b){12}", {"abbbbbbbbbbbb", "bbaaaaaaaaaaaaa"}, {"bbbbbbbbbbbbbb", "a"}},
      {"[\\b\\n\\f\\v\\r\\t]+", {"\b\n\f\v\r\t"}, {"b"}},
      {"[\\u00e0-\\uffff]", {"\xc3\xa9", "\xef\xbf\xbf"}, {"a", "\xf0\x9f\x98\x80"}},
  };
  for (const auto& language : languages) expect_language(Grammar::regex(language.grammar), language);
}

TEST(Regex, MistakesNameTheColumn) {
  const auto at = [](int column, const std::string& what) {
    return "regular expression: column " + std::to_string(column) + ": " + what;
  };
  const Mistake mistakes[] = {
      {"a(b", at(2, "this '(' is not closed")},
      {"a)b", at(2, "this ')' closes nothing")},
      {"\xc3\xa9(?=b)", at(2, "lookaround, '?=', is not supported")},
      {"(?<!b)", at(1, "lookaround, '?<!', is not supported")},
      {"(?i)b", at(1, "of groups that begin with '(?' only '(?:' is supported")},
      {"(a)\\1", at(4, "references back, '\\\\1', are not supported")},
      {"a\\b", at(2, "boundaries of words, '\\\\b', are not supported")},
      {"*a", at(1, "nothing stands before '*' to be repeated; for the character write '\\\\*'")},
      {"a|{2}", at(3, "nothing stands before '{' to be repeated; for the character write '\\\\{'")},
      {"a**", at(3, "a repetition of a repetition wants parentheses")},
      {"a^b",
       at(2, "'^' may stand only at the beginning of the expression; for the character write '\\\\^'")},
      {"a$b", at(3, "expected the end after '$', which may stand nowhere else")},
      {"(a$)", at(3, "'$' may stand only at the end of the expression; for the character write '\\\\$'")},
      {"[a", at(1, "this class has no end ']'")},
      {"[]", at(2, "expected '\\]' for the character ']'")},
      {"[b-a]", at(2, "this range ends before it begins")},
      {"[\\d-z]", at(2, "a range is from one character to another")},
      {"[^\\s\\S]", at(1, "no character is in this class")},
      {"[[:alpha:]]", at(2, "classes by name are not supported; for '[' write '\\['")},
      {"a{2", at(4, "expected '}' after the number of repetitions, found the end")},
      {"a{x}", at(3, "expected a number of repetitions, found 'x'")},
      {"\\q", at(1,
                 "expected one of the escapes \\d \\w \\s \\D \\W \\S \\n \\t \\r \\f \\v \\xHH \\uHHHH or "
                 "one of a sign, found '\\\\q'")},
      {"a\\", at(2, "nothing follows the backslash")},
      {"\\udfff", at(3, "expected a character, U+0000 to U+10FFFF without surrogates, found U+DFFF")},
      {"(a{1000}){1000}",
       at(1, "this repetition expands to more than 300000 transitions; write smaller ones")},
  };
  for (const auto& mistake : mistakes) expect_mistake(Grammar::regex, mistake);
}

TEST(Regex, RandomTextsMatchAsByStd) {
  std::mt19937 random(1);
  const char* patterns[] = {
      "[a-c]{2,5}(?:x|yz)*", "\\d{4}-\\d{2}-\\d{2}", "(?:[A-Z][a-z]+ ?){1,4}",          "[^a-y]{3}|z+",
      "#[0-9a-fA-F]{6}",     "(?:a|ab)(?:c|bcd)d*",  "\\w{1,9}@\\w{1,9}\\.(?:com|org)",
  };
  for (const char* pattern : patterns) {
    const Grammar grammar = Grammar::regex(pattern);
    const std::regex reference(pattern);
    for (int i = 0; i < 20; ++i) {
      const auto& tokenizer =
          i % 2 == 0 || test::kSanitized ? test::byte_tokenizer() : test::gpt2_tokenizer();
      std::string text = test::random_text(grammar, tokenizer, random, 1 + i / 2);
      std::erase_if(text, [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
      });  // one byte a character
      EXPECT_TRUE(std::regex_match(text, reference)) << pattern << ": " << testing::PrintToString(text);
    }
  }
}

}  // namespace
}  // namespace gptj
