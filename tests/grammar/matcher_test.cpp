#include "gptj/grammar.h"

#include <bit>
#include <optional>
#include <utility>

#include "grammar/language.h"
#include "text/vocab_files.h"

namespace gptj {
namespace {

using test::is_allowed;

int n_allowed(GrammarMatcher& matcher) {
  int n = 0;
  for (const uint64_t word : matcher.allowed()) n += std::popcount(word);
  return n;
}

/// The mask as it is defined: each token alone, tried.
void expect_exact_mask(const Grammar& grammar, const std::string& before) {
  const Tokenizer& tokenizer = test::gpt2_tokenizer();
  GrammarMatcher matcher(grammar, {tokenizer, test::kNVocab}), bytes(grammar, {test::byte_tokenizer(), 257});
  for (const char c : before) bytes.accept(static_cast<unsigned char>(c));
  for (const int id : tokenizer.encode(before)) matcher.accept(id);
  const std::vector<uint64_t> mask(matcher.allowed().begin(), matcher.allowed().end());
  const int step = test::kSanitized ? 997 : 37;
  for (int id = 0; id < test::kNVocab; id += id < 260 || id > 50'250 ? 1 : step) {
    bool expected = id == tokenizer.eos() ? matcher.may_end() : !tokenizer.decode(id).empty();
    if (id != tokenizer.eos() && expected) {
      GrammarMatcher tried(grammar, {test::byte_tokenizer(), 257});
      const std::string text = before + std::string(tokenizer.decode(id));
      for (size_t i = 0; expected && i < text.size(); ++i) {
        const int byte = static_cast<unsigned char>(text[i]);
        expected = is_allowed(tried, byte);
        if (expected) tried.accept(byte);
      }
    }
    const auto bit = static_cast<size_t>(id);
    EXPECT_EQ((mask[bit / 64] >> bit % 64 & 1) != 0, expected) << id;
  }
}

TEST(GrammarMatcher, MaskIsExact) {
  expect_exact_mask(Grammar::regex("[a-z]{2,6}( [a-z]+)*|\\d+"), "");
  expect_exact_mask(Grammar::regex("[a-z]{2,6}( [a-z]+)*|\\d+"), "ab");
  expect_exact_mask(Grammar::json_schema("true"), "{\"a\": [1, \"");
  expect_exact_mask(Grammar::gbnf("root ::= [\\u0370-\\u03ff \\u4e00-\\u9fff]+"), "\xce\xb1");
}

TEST(GrammarMatcher, EndsOnlyWhereTheTextIsWhole) {
  GrammarMatcher matcher(Grammar::regex("ab?"), {test::byte_tokenizer(), 257});
  EXPECT_FALSE(matcher.may_end());
  EXPECT_FALSE(is_allowed(matcher, 256));
  EXPECT_EQ(n_allowed(matcher), 1);
  matcher.accept('a');
  EXPECT_TRUE(matcher.may_end());
  EXPECT_FALSE(matcher.must_end());
  EXPECT_TRUE(is_allowed(matcher, 'b'));
  EXPECT_TRUE(is_allowed(matcher, 256));
  GrammarMatcher moved = std::move(matcher);
  moved.accept('b');
  EXPECT_TRUE(moved.must_end());
  EXPECT_EQ(n_allowed(moved), 1);
  moved.accept(256);
  EXPECT_TRUE(moved.must_end());
  EXPECT_TRUE(is_allowed(moved, 256));
  EXPECT_EQ(n_allowed(moved), 1);
}

TEST(GrammarMatcher, AfterTheEndNothingFollows) {
  GrammarMatcher matcher(Grammar::regex("a*"), {test::byte_tokenizer(), 257});
  matcher.accept(256);
  EXPECT_TRUE(matcher.must_end());
  EXPECT_THROW(matcher.accept('a'), Error);
  EXPECT_EQ(n_allowed(matcher), 1);
}

TEST(GrammarMatcher, RefusesWhatIsNotAllowedAndStaysWhereItWas) {
  GrammarMatcher matcher(Grammar::regex("ab"), {test::byte_tokenizer(), 300});
  for (const int id : {int{'b'}, 256, 257, 299, -1, 1'000'000}) EXPECT_THROW(matcher.accept(id), Error) << id;
  matcher.accept('a');
  matcher.accept('b');
  EXPECT_TRUE(matcher.must_end());
}

TEST(GrammarMatcher, AddedTokensAndPaddingAreNoText) {
  Vocab vocab = read_vocab_directory(GPTJ_TEST_DATA "/tokenizer/gpt2");
  vocab.tokens.emplace_back("extra");
  vocab.added.push_back({.id = 50257, .text = "extra"});
  vocab.tokens.emplace_back("");
  const Tokenizer tokenizer(std::move(vocab));
  GrammarMatcher matcher(Grammar::regex("(.|\\s)+"), {tokenizer, test::kNVocab});
  EXPECT_TRUE(is_allowed(matcher, 15496));
  for (const int id : {50256, 50257, 50258, 50399}) EXPECT_FALSE(is_allowed(matcher, id)) << id;
  matcher.accept(15496);
  EXPECT_TRUE(is_allowed(matcher, 50256));
  for (const int id : {50257, 50258, 50399}) EXPECT_FALSE(is_allowed(matcher, id)) << id;
}

TEST(GrammarMatcher, TokensMayCutCharacters) {
  const Tokenizer& tokenizer = test::gpt2_tokenizer();
  const Grammar grammar = Grammar::regex("[\\u4e00-\\u9fff]{2}");
  GrammarMatcher matcher(grammar, {tokenizer, test::kNVocab});
  const std::string text = "\xe9\xbe\x8d\xe8\x99\x8e";
  const std::vector<int> ids = tokenizer.encode(text);
  ASSERT_GT(ids.size(), 2U);  // so some token is part of a character
  for (const int id : ids) {
    EXPECT_FALSE(matcher.may_end());
    ASSERT_TRUE(is_allowed(matcher, id));
    matcher.accept(id);
  }
  EXPECT_TRUE(matcher.must_end());
}

TEST(GrammarMatcher, AVocabularyThatCannotWriteItIsRefused) {
  EXPECT_THROW(GrammarMatcher(Grammar::regex("a"), {test::byte_tokenizer(), 'a'}), Error);
  EXPECT_NO_THROW(GrammarMatcher(Grammar::regex("a"), {test::byte_tokenizer(), 'a' + 1}));
}

TEST(GrammarMatcher, WithoutAnEndOfTextTokenTheMaskIsEmptyAtTheEnd) {
  GrammarMatcher matcher(Grammar::regex("a"), {test::byte_tokenizer(), 256});
  matcher.accept('a');
  EXPECT_TRUE(matcher.must_end());
  EXPECT_EQ(n_allowed(matcher), 0);
}

TEST(GrammarMatcher, GrammarsAreCopies) {
  Grammar grammar = Grammar::regex("a+");
  const Grammar copy = grammar;
  GrammarMatcher matcher(grammar, {test::byte_tokenizer(), 257});
  grammar = Grammar::regex("b");
  matcher.accept('a');
  EXPECT_TRUE(test::accepts(copy, test::byte_tokenizer(), "aaa"));
  EXPECT_TRUE(test::accepts(grammar, test::byte_tokenizer(), "b"));
}

TEST(GrammarMatcher, DeepNestingEndsWithoutAnError) {
  GrammarMatcher matcher(Grammar::json_schema("true"), {test::byte_tokenizer(), 257});
  int depth = 0;
  for (; is_allowed(matcher, '['); ++depth) matcher.accept('[');
  EXPECT_GT(depth, 1000);
  EXPECT_LE(depth, 4000);
  for (; depth > 0; --depth) matcher.accept(']');
  EXPECT_TRUE(matcher.must_end());
}

TEST(GrammarMatcher, AmbiguityIsNotExponential) {
  const Grammar grammar = Grammar::gbnf(
      "root ::= \"(\" a \")\" | \"(\" b \"]\" | \"x\"\na ::= root | root \"y\"\nb ::= root | root \"y\" | "
      "root \"z\"");
  GrammarMatcher matcher(grammar, {test::byte_tokenizer(), 257});
  for (int i = 0; i < 500; ++i) matcher.accept('(');
  matcher.accept('x');
  for (int i = 0; i < 500; ++i) {
    if (i % 3 == 0) matcher.accept('y');
    matcher.accept(i % 2 == 0 ? ')' : ']');
  }
  EXPECT_TRUE(matcher.must_end());
}

/// Each rule is reached on two ways from the one before.
TEST(GrammarMatcher, NorAreRulesThatCanBeEmpty) {
  std::string text = "root ::= r0 \"!\"\n";
  for (int i = 0; i < 60; ++i) {
    const std::string next = "r" + std::to_string(i + 1);
    text += "r" + std::to_string(i) + " ::= " + next + "? " + next + "? \"x\"?\n";
  }
  text += "r60 ::= \"y\"\n";
  EXPECT_TRUE(test::accepts(Grammar::gbnf(text), test::byte_tokenizer(), "yyxyyxxyyxyyxxx!"));
}

TEST(GrammarMatcher, TablesThatFillUpAreForgotten) {
  // A state for each history of 18 letters: more than the tables hold.
  const Grammar grammar = Grammar::regex("(?:[ab]|c[ab]{17}d)*[ab]{0,9}(a[ab]{17}|b[ab]{16})x");
  GrammarMatcher matcher(grammar, {test::gpt2_tokenizer(), test::kNVocab});
  std::mt19937 random(1);
  for (int i = 0; i < 3000; ++i) {
    const int id = test::gpt2_tokenizer().encode(random() % 2 == 0 ? "a" : "b")[0];
    ASSERT_TRUE(is_allowed(matcher, id)) << i;
    matcher.accept(id);
  }
  const int x = test::gpt2_tokenizer().encode("x")[0];
  EXPECT_TRUE(is_allowed(matcher, x));
  matcher.rewind();  // to the beginning
  EXPECT_FALSE(is_allowed(matcher, x));
}

TEST(GrammarMatcher, WhatIsTriedIsTakenBack) {
  GrammarMatcher matcher(Grammar::regex("a(bc)*"), {test::byte_tokenizer(), 257});
  matcher.accept('a');
  matcher.mark();
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(matcher.allows('b'));
    EXPECT_FALSE(matcher.allows('c'));
    EXPECT_TRUE(matcher.allows(256));
    matcher.accept('b');
    EXPECT_FALSE(matcher.may_end());
    EXPECT_FALSE(matcher.allows(256));
    matcher.rewind();
    matcher.accept(256);
    EXPECT_FALSE(matcher.allows('b'));
    matcher.rewind();
  }
}

TEST(GrammarMatcher, TextsMayShareAVocabulary) {
  std::optional<GrammarVocabulary> vocabulary(std::in_place, test::byte_tokenizer(), 257);
  GrammarMatcher one(Grammar::regex("ab"), *vocabulary), other(Grammar::regex("xy"), *vocabulary);
  vocabulary.reset();
  one.accept('a');
  other.accept('x');
  EXPECT_TRUE(one.allows('b'));
  EXPECT_TRUE(other.allows('y'));
}

}  // namespace
}  // namespace gptj
