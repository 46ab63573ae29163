#include "text/unicode.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace gptj {
namespace {

constexpr int32_t kEnd = 0x110000;

struct Expected {
  CharClass char_class = CharClass::other;
  bool is_word = false;
};

/// classes.txt, laid out by code point.
std::vector<Expected> reference_classes() {
  std::vector<Expected> classes(kEnd);
  std::ifstream file(GPTJ_TEST_DATA "/tokenizer/classes.txt");
  int n_ranges = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream fields(line);
    size_t first = 0;
    size_t last = 0;
    char name = 0;
    char word = 0;
    fields >> std::hex >> first >> last >> name >> word;
    const CharClass char_class = name == 'L'   ? CharClass::letter
                                 : name == 'N' ? CharClass::number
                                 : name == 'S' ? CharClass::space
                                               : CharClass::other;
    for (size_t c = first; c <= last; ++c) classes.at(c) = {char_class, word == 'w'};
    ++n_ranges;
  }
  EXPECT_GT(n_ranges, 1000);
  return classes;
}

TEST(Unicode, ClassesAreThoseOfTheReference) {
  const auto classes = reference_classes();
  for (int32_t c = 0; c < kEnd; ++c) {
    const Expected& expected = classes[static_cast<size_t>(c)];
    EXPECT_EQ(char_class(c), expected.char_class) << std::hex << c;
    EXPECT_EQ(is_word_char(c), expected.is_word) << std::hex << c;
  }
}

TEST(Unicode, WhatIsNoCharacterIsOther) {
  EXPECT_EQ(char_class(Char::kInvalid), CharClass::other);
  EXPECT_FALSE(is_word_char(Char::kInvalid));
}

TEST(Unicode, DecodesForwardAndBackward) {
  const std::string text = "a\xc3\xa9\xe4\xb8\xad\xf0\x9f\x91\x8d";
  const std::vector<std::pair<int32_t, size_t>> expected = {{'a', 1}, {0xe9, 2}, {0x4e2d, 3}, {0x1f44d, 4}};
  size_t at = 0;
  for (const auto& [code_point, size] : expected) {
    const Char forward = char_at(text, at);
    EXPECT_EQ(forward.code_point, code_point);
    EXPECT_EQ(forward.size, size);
    at += size;
    const Char backward = char_before(text, at);
    EXPECT_EQ(backward.code_point, code_point);
    EXPECT_EQ(backward.size, size);
  }
  EXPECT_EQ(at, text.size());
}

TEST(Unicode, InvalidBytesStandForThemselves) {
  // A lone continuation, a cut sequence, overlong forms, a surrogate, beyond U+10FFFF, bytes never used.
  for (const std::string& text :
       std::vector<std::string>{"\x80", "\xc3", "\xe4\xb8", "\xf0\x9f\x91", "\xc0\xaf", "\xe0\x80\xaf",
                                "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xff", "\xfe"}) {
    const Char forward = char_at(text, 0);
    EXPECT_EQ(forward.code_point, Char::kInvalid) << testing::PrintToString(text);
    EXPECT_EQ(forward.size, 1U);
    const Char backward = char_before(text, text.size());
    EXPECT_EQ(backward.code_point, Char::kInvalid) << testing::PrintToString(text);
    EXPECT_EQ(backward.size, 1U);
  }
}

}  // namespace
}  // namespace gptj
