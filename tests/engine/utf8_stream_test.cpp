#include <gtest/gtest.h>

#include "gptj/generate.h"

namespace gptj {
namespace {

/// Characters of one to four bytes, and the first and last of each length.
constexpr std::string_view kTexts[] = {
    "plain",
    "\x7f",
    "\xc2\x80",
    "\xdf\xbf",
    "\xe0\xa0\x80",
    "\xef\xbf\xbf",
    "\xed\x9f\xbf",
    "\xf0\x90\x80\x80",
    "\xf4\x8f\xbf\xbf",
    "gr\xc3\xbc\xc3\x9f",
    "\xe6\x97\xa5\xe6\x9c\xac",
    "a\xf0\x9f\x98\x80z\xf0\x9f\x98\x80",
    "",
};

/// Whether a text may be shown: no character of it is cut.
bool is_whole(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const size_t length = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    if ((byte & 0xc0) == 0x80 || i + length > text.size()) return false;
    i += length;
  }
  return true;
}

TEST(Utf8Stream, CharactersArriveWhole) {
  for (const std::string_view text : kTexts) {
    for (size_t first = 0; first <= text.size(); ++first) {
      for (size_t second = first; second <= text.size(); ++second) {
        Utf8Stream stream;
        std::string out;
        for (const std::string_view part :
             {text.substr(0, first), text.substr(first, second - first), text.substr(second)}) {
          const std::string_view ready = stream.push(part);
          EXPECT_TRUE(is_whole(ready)) << testing::PrintToString(ready);
          out += ready;
        }
        EXPECT_EQ(out, text) << "cut at " << first << " and " << second;
        EXPECT_EQ(stream.finish(), "");
      }
    }
  }
}

TEST(Utf8Stream, NothingIsHeldBackWithoutNeed) {
  Utf8Stream stream;
  EXPECT_EQ(stream.push("ab\xe6\x97"), "ab");
  EXPECT_EQ(stream.push("\xa5"
                        "c\xf0"),
            "\xe6\x97\xa5"
            "c");
  EXPECT_EQ(stream.push("\x9f"), "");
  EXPECT_EQ(stream.push("\x98"), "");
  EXPECT_EQ(stream.push(""), "");
  EXPECT_EQ(stream.push("\x80"), "\xf0\x9f\x98\x80");
}

TEST(Utf8Stream, BytesThatAreNoUtf8PassAsTheyAre) {
  for (const std::string_view bytes :
       {"\x80", "\xbf\xbf\xbf\xbf\xbf", "\xc0\x80", "\xc1", "\xf5\x80\x80\x80", "\xff\xfe", "a\xff", "\xc3(",
        "\xe2\x28\xa1", "\xf0\x28\x8c\xbc", "\xe6\x97", "\xf0\x9f\x98", "\xc3\xc3\xc3", "\xe6\xe6\x97\xa5"}) {
    Utf8Stream whole;
    std::string out(whole.push(bytes));
    out += whole.finish();
    EXPECT_EQ(out, bytes);

    Utf8Stream one_by_one;
    out.clear();
    for (const char& byte : bytes) out += one_by_one.push({&byte, 1});
    out += one_by_one.finish();
    EXPECT_EQ(out, bytes);
  }
}

TEST(Utf8Stream, BytesThatBeginNoCharacterAreNotHeldBack) {
  for (const std::string_view byte : {"\x80", "\xbf", "\xc0", "\xc1", "\xf5", "\xff"}) {
    Utf8Stream stream;
    EXPECT_EQ(stream.push(byte), byte);
  }
}

TEST(Utf8Stream, FinishGivesTheRestAndBeginsAnew) {
  Utf8Stream stream;
  EXPECT_EQ(stream.push("a\xf0\x9f"), "a");
  EXPECT_EQ(stream.finish(), "\xf0\x9f");
  EXPECT_EQ(stream.finish(), "");
  EXPECT_EQ(stream.push("b"), "b");
}

}  // namespace
}  // namespace gptj
