#include "text/vocab_written.h"

#include <gtest/gtest.h>

#include "text/byte_alphabet.h"

namespace gptj {
namespace {

TEST(ByteAlphabet, WritesEveryByteSoThatItIsReadBack) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  const std::string written = alphabet_from_bytes(all);
  EXPECT_EQ(bytes_from_alphabet(written), all);
  EXPECT_EQ(alphabet_from_bytes("a b\n"), "aĠbĊ");  // as in every vocab.json
}

TEST(WrittenTokens, AddedOnesAreTheirOwnText) {
  Vocab vocab;
  vocab.tokens = {" a", "<| end |>"};
  vocab.added = {{.id = 1, .text = "<| end |>"}};
  EXPECT_EQ(written_tokens(vocab), (std::vector<std::string>{"Ġa", "<| end |>"}));
}

TEST(WrittenTokens, EachTextOnceAndNoneEmpty) {
  Vocab vocab;
  vocab.tokens = {"a", "", "b", "a", ""};
  EXPECT_EQ(written_tokens(vocab), (std::vector<std::string>{"a", "[PAD1]", "b", "[PAD3]", "[PAD4]"}));
}

TEST(WrittenMerges, OneLineEach) {
  Vocab vocab;
  vocab.tokens = {" ", "a", "#", "\xff"};
  vocab.merges = {{0, 1}, {2, 3}};
  EXPECT_EQ(written_merges(vocab), (std::vector<std::string>{"Ġ a", "# ÿ"}));
}

}  // namespace
}  // namespace gptj
