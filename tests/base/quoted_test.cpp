#include "base/quoted.h"

#include <gtest/gtest.h>

namespace gptj {
namespace {

struct Case {
  std::string bytes, shown;
};

TEST(Quoted, WhatIsSafeToShowIsShown) {
  const Case cases[] = {
      {"", ""},
      {"h.0.ln_1 \"x\"", "h.0.ln_1 \"x\""},
      {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
      {"\xc2\xa0\xe4\xb8\x96\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf",
       "\xc2\xa0\xe4\xb8\x96\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf"},
      {"line\nfeed\ttab", R"(line\nfeed\ttab)"},
      {std::string("nul\0byte", 8), R"(nul\x00byte)"},
      {"\x1b[31mred\x7f", R"(\x1b[31mred\x7f)"},
      {"it's \\", R"(it\'s \\)"},
      {"\xc2\x80\xc2\x9b", R"(\xc2\x80\xc2\x9b)"},  // U+0080 and U+009B, which begins sequences as ESC [ does
      {"\x80\xff\xc3", R"(\x80\xff\xc3)"},          // stray, never valid, cut
      {"\xc0\xaf\xe0\x80\xaf\xed\xa0\x80\xf4\x90\x80\x80",  // overlong, a surrogate, beyond the last
       R"(\xc0\xaf\xe0\x80\xaf\xed\xa0\x80\xf4\x90\x80\x80)"},
  };
  for (const auto& [bytes, shown] : cases) {
    EXPECT_EQ(escaped(bytes), shown);
    EXPECT_EQ(quoted(bytes), "'" + shown + "'");
  }
}

TEST(Quoted, LongNamesAreCutBetweenCharacters) {
  const std::string hundred(100, 'x');
  const Case cases[] = {
      {hundred, "'" + hundred + "'"},
      {hundred + "y", "'" + hundred + "...'"},
      {hundred.substr(1) + "\xc3\xbcy", "'" + hundred.substr(1) + "\xc3\xbc...'"},
      {hundred.substr(1) + "\xc3\xbc", "'" + hundred.substr(1) + "\xc3\xbc'"},
  };
  for (const auto& [bytes, shown] : cases) EXPECT_EQ(quoted(bytes), shown);
  EXPECT_EQ(quoted(std::string(100'000, '\x01')).size(), 100U * 4 + 5);
}

}  // namespace
}  // namespace gptj
