#include <fmt/format.h>

#include "grammar/language.h"

namespace gptj {
namespace {

using test::Language;
using test::Mistake;

TEST(Gbnf, Languages) {
  const Language languages[] = {
      {"root ::= \"yes\" | \"no\"", {"yes", "no"}, {"", "y", "yesno", "maybe"}},
      {"root ::= \"\"", {""}, {"a"}},
      {"root ::= \"a\" \"b\"? \"c\"* \"d\"+", {"ad", "abd", "acccddd"}, {"", "a", "abbd", "abc"}},
      {"root ::= \"a\"{2}", {"aa"}, {"a", "aaa"}},
      {"root ::= \"a\"{2,}", {"aa", "aaaaa"}, {"a"}},
      {"root ::= (\"a\" \"b\"){1,3} \"c\"{0}", {"ab", "ababab"}, {"", "abababab", "abc"}},
      {"root ::= [a-cx-]+ [^a-c]", {"abcd", "x-\xc3\xa9", "a-\n"}, {"abc", "dd", "a\xc3"}},
      {"root ::= . [\\u00e9\\U0001F600]",
       {"a\xc3\xa9", "\xe4\xb8\xad\xf0\x9f\x98\x80", "\n\xc3\xa9"},
       {"a", "\xc3\xa9", "\xff\xc3\xa9"}},
      {R"(root ::= "\x41\n\t\r\"\\\u4e2d" [\]\[\\])", {"A\n\t\r\"\\\xe4\xb8\xad]"}, {"A"}},
      {"# a comment\nroot ::= # another\n  ( \"a\" # here too\n  | b\n  )* \"!\"\n\nb ::= \"b\"\n  | \"c\" # "
       "on a line of its own\n",
       {"!", "abc!", "cc!"},
       {"a", "abc"}},
      {"root ::= list\r\nlist ::= \"(\" list* \")\"\r\n", {"()", "(()(()))"}, {"", "(", "())", "()()"}},
      {"root ::= \"a\" root \"b\" | \"ab\"", {"ab", "aaabbb"}, {"", "aab", "abab"}},
      {"root ::= item (\",\" root)?\nitem ::= [0-9]+", {"1", "1,22,3"}, {"", "1,", ",1"}},
      {"root ::= root-2 \"x\"\nroot-2 ::= e e \"y\"\ne ::= \"\" | \"e\"", {"yx", "eeyx"}, {"eeeyx"}},
      {"root ::= (\"a\"* \"b\"*)* \"c\"", {"c", "abbaabc"}, {"", "ab"}},
      {"root ::= \"to\" | \"tot\" | \"total\" | \"\" | \"at\"",
       {"to", "tot", "total", "", "at"},
       {"t", "tota", "a"}},
  };
  for (const auto& language : languages) expect_language(Grammar::gbnf(language.grammar), language);
}

/// What is drawn from it may never end.
TEST(Gbnf, Palindromes) {
  const Grammar grammar = Grammar::gbnf("root ::= \"a\" root \"a\" | \"b\" root \"b\" | \"\"");
  for (const char* text : {"", "abba", "aabbaa", "abaaaaba"}) {
    EXPECT_TRUE(test::accepts(grammar, test::byte_tokenizer(), text)) << text;
  }
  for (const char* text : {"a", "ab", "abab", "abbaa"}) {
    EXPECT_FALSE(test::accepts(grammar, test::byte_tokenizer(), text)) << text;
  }
}

TEST(Gbnf, MistakesNameLineAndColumn) {
  const Mistake mistakes[] = {
      {"",
       "grammar: line 1, column 1: expected a rule 'root' (root ::= ...), which says what the text is, found "
       "the end"},
      {"a ::= \"x\"\n",
       "grammar: line 2, column 1: expected a rule 'root' (root ::= ...), which says what the text is, found "
       "the end"},
      {"root ::= a\na ::= b c\nb ::= \"x\"", "grammar: line 2, column 9: there is no rule 'c'"},
      {"root ::= \"a\"\nroot ::= \"b\"",
       "grammar: line 2, column 1: there are two rules 'root'; the first is at line 1, column 1"},
      {"root = \"a\"", "grammar: line 1, column 6: expected '::=' after the rule's name, found '='"},
      {"root ::= \"\xc3\xa9\" \"a", "grammar: line 1, column 14: this literal has no end '\"'"},
      {"root ::= [a", "grammar: line 1, column 10: this class has no end ']'"},
      {"root ::= [a-", "grammar: line 1, column 10: this class has no end ']'"},
      {"root ::= []", "grammar: line 1, column 10: no character is in this class"},
      {"root ::= [z-a]", "grammar: line 1, column 11: this range ends before it begins"},
      {"root ::= (\"a\"\n | \"b\"", "grammar: line 2, column 7: expected ')', found the end"},
      {"root ::= \"a\" )",
       "grammar: line 1, column 14: expected a literal, a class, a rule's name, '(', '|' or the end of the "
       "line, found ')'"},
      {"root ::= \"a\\q\"",
       "grammar: line 1, column 12: expected one of the escapes \\n \\t \\r \\\" \\\\ \\[ \\] \\- \\^ \\xHH "
       "\\uHHHH \\UHHHHHHHH, found "
       "'\\\\q'"},
      {"root ::= \"\\u12g4\"", "grammar: line 1, column 15: expected 4 hexadecimal digits, found 'g'"},
      {"root ::= \"\\ud800\"",
       "grammar: line 1, column 13: expected a character, U+0000 to U+10FFFF without surrogates, found "
       "U+D800"},
      {"root ::= \"a\"{3,2}",
       "grammar: line 1, column 14: expected at least as many repetitions as 3, found 2"},
      {"root ::= \"a\"{,2}", "grammar: line 1, column 14: expected a number of repetitions, found ','"},
      {"root ::= \"a\"{2",
       "grammar: line 1, column 15: expected '}' after the number of repetitions, found the end"},
      {"root ::= \"a\"{9999999}", "grammar: line 1, column 14: expected at most 1000000 repetitions"},
      {"root ::= ((\"a\"{1000}){1000}){1000}",
       "grammar: line 1, column 11: this repetition expands to more than 300000 transitions; write smaller "
       "ones"},
      {"root ::= \"\xff\"", "grammar: line 1, column 11: expected UTF-8, found the byte '\\xff'"},
      {"root ::= \"x\" | b\nb ::= b \"b\"",
       "grammar: line 2, column 1: 'b' derives no text: each of its alternatives is impossible or has no "
       "end"},
      {"root ::= root \"a\" | \"b\"",
       "grammar: line 1, column 1: left recursion, 'root' -> 'root': a rule may use itself only behind "
       "something else"},
      {"root ::= a | \"r\"\na ::= c* b \"x\"\nb ::= \"y\" | root\nc ::= \"c\"",
       "grammar: line 1, column 1: left recursion, 'root' -> 'a' -> 'b' -> 'root': a rule may use "
       "itself only behind something else"},
  };
  for (const auto& mistake : mistakes) expect_mistake(Grammar::gbnf, mistake);
}

TEST(Gbnf, NestingIsBounded) {
  const std::string open(100'000, '('), close(100'000, ')');
  test::expect_mistake(Grammar::gbnf, {"root ::= " + open + "\"a\"" + close,
                                       "grammar: line 1, column 210: parentheses nest more than 200 deep"});
  test::expect_mistake(Grammar::gbnf, {"root ::= \"a\"" + std::string(1000, '*'),
                                       "grammar: line 1, column 17: more than 4 repetitions of repetitions"});
}

TEST(Gbnf, RulesByTheThousandAreNoRecursion) {
  constexpr int kRules = 20'000;
  std::string text = "root ::= r0 \"!\"\n";
  for (int i = 0; i < kRules; ++i) text += fmt::format("r{} ::= \"a\" r{}\n", i, i + 1);
  text += fmt::format("r{} ::= \"b\"\n", kRules);
  GrammarMatcher matcher(Grammar::gbnf(text), {test::byte_tokenizer(), 257});
  for (int i = 0; i < kRules; ++i) matcher.accept('a');
  matcher.accept('b');
  EXPECT_FALSE(matcher.may_end());
  matcher.accept('!');
  EXPECT_TRUE(matcher.must_end());
}

}  // namespace
}  // namespace gptj
