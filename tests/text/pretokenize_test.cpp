#include "text/pretokenize.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace gptj {
namespace {

using Pieces = std::vector<std::string>;

Pieces pieces(std::string_view text) {
  Pieces found;
  while (!text.empty()) {
    const size_t size = first_piece(text);
    found.emplace_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return found;
}

TEST(Pretokenize, WordsNumbersAndTheRest) {
  EXPECT_EQ(pieces("Hello, world 42!"), (Pieces{"Hello", ",", " world", " 42", "!"}));
  EXPECT_EQ(pieces("x1y +=2"), (Pieces{"x", "1", "y", " +=", "2"}));
  EXPECT_EQ(pieces("caf\xc3\xa9 \xe4\xb8\xad\xe6\x96\x87"),
            (Pieces{"caf\xc3\xa9", " \xe4\xb8\xad\xe6\x96\x87"}));
  EXPECT_EQ(pieces("e\xcc\x81"), (Pieces{"e", "\xcc\x81"}));  // marks are no letters
}

TEST(Pretokenize, ContractionsStandAtTheBeginningOfAPiece) {
  EXPECT_EQ(pieces("it's we're I'll"), (Pieces{"it", "'s", " we", "'re", " I", "'ll"}));
  EXPECT_EQ(pieces("IT'S"), (Pieces{"IT", "'", "S"}));
  EXPECT_EQ(pieces("'sabc"), (Pieces{"'s", "abc"}));
  EXPECT_EQ(pieces("''s"), (Pieces{"''", "s"}));
  EXPECT_EQ(pieces(" 's"), (Pieces{" '", "s"}));
  EXPECT_EQ(pieces("!'s"), (Pieces{"!'", "s"}));
  EXPECT_EQ(pieces("'l"), (Pieces{"'", "l"}));
}

TEST(Pretokenize, WhiteSpaceLeavesItsLastCharacterToTheNextPiece) {
  EXPECT_EQ(pieces("a  b"), (Pieces{"a", " ", " b"}));
  EXPECT_EQ(pieces("a\n\nb"), (Pieces{"a", "\n", "\n", "b"}));
  EXPECT_EQ(pieces("a \n b"), (Pieces{"a", " \n", " b"}));
  EXPECT_EQ(pieces("a\n"), (Pieces{"a", "\n"}));
  EXPECT_EQ(pieces("a   "), (Pieces{"a", "   "}));
  EXPECT_EQ(pieces("  "), (Pieces{"  "}));
  EXPECT_EQ(pieces(" \xc2\xa0"
                   "b"),
            (Pieces{" ", "\xc2\xa0", "b"}));
}

TEST(Pretokenize, InvalidBytesAreNeitherLettersNorNumbersNorSpace) {
  EXPECT_EQ(pieces("a\xff\xfe!b"), (Pieces{"a", "\xff\xfe!", "b"}));
  EXPECT_EQ(pieces(" \xe4\xb8"), (Pieces{" \xe4\xb8"}));
}

}  // namespace
}  // namespace gptj
