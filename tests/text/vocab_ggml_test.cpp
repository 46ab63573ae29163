#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "gptj/error.h"
#include "gptj/tokenizer.h"
#include "text/vocab_files.h"

namespace gptj {
namespace {

std::vector<std::string> byte_tokens() {
  std::vector<std::string> tokens;
  for (int byte = 0; byte < 256; ++byte) tokens.emplace_back(1, static_cast<char>(byte));
  return tokens;
}

std::vector<std::string> with(std::vector<std::string> tokens) {
  std::vector<std::string> all = byte_tokens();
  all.insert(all.end(), tokens.begin(), tokens.end());
  return all;
}

using Merges = std::vector<std::pair<int, int>>;
using Ids = std::vector<int>;

TEST(VocabGgml, FindsTheMergesAgain) {
  const Vocab vocab = vocab_from_ggml_tokens(with({"ab", "bc", "abc", "abab"}));
  EXPECT_EQ(vocab.merges, (Merges{{'a', 'b'}, {'b', 'c'}, {256, 'c'}, {256, 256}}));
  EXPECT_TRUE(vocab.added.empty());
}

TEST(VocabGgml, TheMergesOfRealVocabulariesAreThoseOfTheirFiles) {
  for (const std::string directory : {GPTJ_TEST_DATA "/tokenizer/gpt2", GPTJ_DEMO_MODELS "/gpt-j"}) {
    const Vocab vocab = read_vocab_directory(directory);
    EXPECT_EQ(vocab_from_ggml_tokens(vocab.tokens).merges, vocab.merges) << directory;
  }
}

TEST(VocabGgml, SpecialTokensAreThoseThatNoMergeMakes) {
  const Vocab vocab =
      vocab_from_ggml_tokens(with({"<|", "|>", "<||>", "<|endoftext|>", "<|extratoken_1|>", "<pad>"}));
  ASSERT_EQ(vocab.added.size(), 2U);  // "<||>" is "<|" and "|>"
  EXPECT_EQ(vocab.bos, 259);
  EXPECT_EQ(vocab.eos, 259);
  const Tokenizer tokenizer(vocab);
  EXPECT_EQ(tokenizer.encode("a<|endoftext|><|extratoken_1|>"), (Ids{'a', 259, 260}));
  EXPECT_EQ(tokenizer.encode("<pad>"), (Ids{'<', 'p', 'a', 'd', '>'}));
}

TEST(VocabGgml, PaddingMayBeEmptyOrDouble) {
  const Vocab vocab = vocab_from_ggml_tokens(with({"ab", "", "ab", "a", "", "<|x|>", "<|x|>"}));
  EXPECT_EQ(vocab.added.size(), 1U);
  const Tokenizer tokenizer(vocab);
  EXPECT_EQ(tokenizer.encode("ab<|x|>"), (Ids{256, 261}));
  EXPECT_EQ(tokenizer.n_tokens(), 263);
  EXPECT_EQ(tokenizer.eos(), std::nullopt);
}

TEST(VocabGgml, EveryByteNeedsAToken) {
  for (std::vector<std::string> tokens : {std::vector<std::string>{}, std::vector<std::string>(300, "x")}) {
    try {
      vocab_from_ggml_tokens(tokens, "model.bin");
      FAIL();
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("'model.bin'"), std::string::npos) << error.what();
    }
  }
}

// The first bytes of GPT-2's vocabulary in its order, as converters of 2022 wrote them: what is no UTF-8 is U+FFFD.
TEST(VocabGgml, RestoresBytesThatWereReplaced) {
  std::vector<std::string> tokens;
  for (int byte = '!'; byte <= '~'; ++byte) tokens.emplace_back(1, static_cast<char>(byte));
  while (tokens.size() < 188) tokens.emplace_back("\xef\xbf\xbd");
  for (int byte = 0; byte <= ' '; ++byte) tokens.emplace_back(1, static_cast<char>(byte));
  tokens.emplace_back("\x7f");
  while (tokens.size() < 256) tokens.emplace_back("\xef\xbf\xbd");
  tokens.insert(tokens.end(), {"ab", "\xef\xbf\xbd", "\xc3\xa9"});
  const Vocab vocab = vocab_from_ggml_tokens(tokens);
  EXPECT_EQ(vocab.tokens[94], "\xa1");
  EXPECT_EQ(vocab.tokens[102], "\xa9");
  EXPECT_EQ(vocab.tokens[127], "\xc3");
  EXPECT_EQ(vocab.tokens[187], "\xff");
  EXPECT_EQ(vocab.tokens[222], "\x80");
  EXPECT_EQ(vocab.tokens[255], "\xad");
  EXPECT_EQ(vocab.merges, (Merges{{'a' - '!', 'b' - '!'}, {127, 102}}));
}

}  // namespace
}  // namespace gptj
