#include "text/added_tokens.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace gptj {
namespace {

/// Texts as they are, tokens as "#id".
std::vector<std::string> split(const std::vector<AddedToken>& tokens, std::string_view text) {
  std::vector<std::string> segments;
  for (const Segment& segment : AddedTokens(tokens).split(text)) {
    segments.push_back(segment.id == Segment::kText ? std::string(segment.text)
                                                    : "#" + std::to_string(segment.id));
  }
  return segments;
}

using Segments = std::vector<std::string>;

TEST(AddedTokens, TheLeftmostAndThenTheLongest) {
  const std::vector<AddedToken> tokens = {
      {.id = 1, .text = "<a>"}, {.id = 2, .text = "<a>b"}, {.id = 3, .text = "b<"}, {.id = 4, .text = "<"}};
  EXPECT_EQ(split(tokens, "x<a>y"), (Segments{"x", "#1", "y"}));
  EXPECT_EQ(split(tokens, "<a>b<a>"), (Segments{"#2", "#1"}));
  EXPECT_EQ(split(tokens, "b<a>"), (Segments{"#3", "a>"}));
  EXPECT_EQ(split(tokens, "<a<a"), (Segments{"#4", "a", "#4", "a"}));
  EXPECT_EQ(split(tokens, ""), Segments{});
  EXPECT_EQ(split({}, "x"), Segments{"x"});
}

TEST(AddedTokens, RawOnesGoBeforeNormalizedOnes) {
  const std::vector<AddedToken> tokens = {{.id = 1, .text = "abc", .normalized = true},
                                          {.id = 2, .text = "b"},
                                          {.id = 3, .text = "c", .normalized = true}};
  EXPECT_EQ(split(tokens, "abc"), (Segments{"a", "#2", "#3"}));
}

TEST(AddedTokens, StripWhiteSpace) {
  const std::vector<AddedToken> left = {{.id = 1, .text = "<>", .lstrip = true}};
  const std::vector<AddedToken> right = {{.id = 1, .text = "<>", .rstrip = true}};
  const std::string text = "a \n\xc2\xa0<> \t b";
  EXPECT_EQ(split(left, text), (Segments{"a", "#1", " \t b"}));
  EXPECT_EQ(split(right, text), (Segments{"a \n\xc2\xa0", "#1", "b"}));
  EXPECT_EQ(split(left, "<>"), Segments{"#1"});
}

TEST(AddedTokens, WhiteSpaceIsTakenOnce) {
  const std::vector<AddedToken> tokens = {{.id = 1, .text = "<>", .rstrip = true},
                                          {.id = 2, .text = "\n", .lstrip = true},
                                          {.id = 3, .text = "\n\n"}};
  EXPECT_EQ(split(tokens, "<> \nx \ny"), (Segments{"#1", "x", "#2", "y"}));
  EXPECT_EQ(split(tokens, "<> \n x"), (Segments{"#1", "x"}));        // the reference panics
  EXPECT_EQ(split(tokens, "<>\n\nx"), (Segments{"#1", "#3", "x"}));  // one that does not strip stays
}

TEST(AddedTokens, SingleWordsTouchNoWordCharacter) {
  const std::vector<AddedToken> tokens = {{.id = 1, .text = "ab", .single_word = true}};
  EXPECT_EQ(split(tokens, "ab ab. (ab)"), (Segments{"#1", " ", "#1", ". (", "#1", ")"}));
  EXPECT_EQ(split(tokens,
                  "abc cab ab_ _ab ab1 \xc3\xa9"
                  "ab"),
            Segments{"abc cab ab_ _ab ab1 \xc3\xa9"
                     "ab"});
  EXPECT_EQ(split(tokens,
                  "\xff"
                  "ab\xff"),
            (Segments{"\xff", "#1", "\xff"}));
}

TEST(AddedTokens, EmptyOnesAreIgnored) {
  EXPECT_EQ(split({{.id = 1, .text = ""}}, "a"), Segments{"a"});
}

}  // namespace
}  // namespace gptj
