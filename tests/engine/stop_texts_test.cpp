#include "engine/stop_texts.h"

#include <gtest/gtest.h>

#include <vector>

namespace gptj {
namespace {

/// What is shown of a text that comes in pieces of `size` bytes, and which stop text ended it.
std::pair<std::string, int> shown(std::string_view text, const std::vector<std::string>& stops, size_t size) {
  StopTexts texts(stops);
  std::string out;
  for (; !text.empty() && texts.met() < 0; text.remove_prefix(std::min(size, text.size()))) {
    out += texts.push(text.substr(0, size));
  }
  if (texts.met() < 0) out += texts.finish();
  return {out, texts.met()};
}

TEST(StopTexts, NothingOfAStopTextIsShownWhateverThePieces) {
  const struct {
    const char* text;
    std::vector<std::string> stops;
    const char* shown;
    int met;
  } cases[] = {
      {"a text without", {"END"}, "a text without", -1},
      {"before END after", {"END"}, "before ", 0},
      {"END", {"END"}, "", 0},
      {"EN", {"END"}, "EN", -1},
      {"ENEND", {"END"}, "EN", 0},
      {"aaab", {"aab"}, "a", 0},
      {"abababac", {"ababac"}, "ab", 0},
      {"one\nUser: two", {"\nUser:", "\n\n"}, "one", 0},
      {"one\n\nUser: two", {"\nUser:", "\n\n"}, "one", 1},
      {"x### End", {"### End", "###"}, "x", 1},
      {"caf\xc3\xa9!", {"\xa9"}, "caf\xc3", 0},
      {"\xe2\x82\xac 5 \xe2\x82\xad", {"\xe2\x82\xad"}, "\xe2\x82\xac 5 ", 0},
      {"no stop texts", {}, "no stop texts", -1},
  };
  for (const auto& c : cases) {
    for (size_t size = 1; size < 12; ++size) {
      const auto [text, met] = shown(c.text, c.stops, size);
      // A longer stop text that begins at the same place may be complete in the same piece: the first that ends it counts.
      EXPECT_EQ(text, c.shown) << c.text << " in pieces of " << size;
      EXPECT_EQ(met < 0, c.met < 0);
      if (size == 1) {
        EXPECT_EQ(met, c.met) << c.text;
      }
    }
  }
}

TEST(StopTexts, WhatCannotBecomeOneIsShownAtOnce) {
  const std::vector<std::string> stops = {"\nUser:"};
  StopTexts texts(stops);
  EXPECT_EQ(texts.push("Hello"), "Hello");
  EXPECT_EQ(texts.push("\nUs"), "");
  EXPECT_EQ(texts.push("ing"), "\nUsing");
  EXPECT_EQ(texts.push("\n\n"), "\n");
  EXPECT_EQ(texts.finish(), "\n");
}

}  // namespace
}  // namespace gptj
