#include "gptj/tokenizer.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/sanitized.h"
#include "text/vocab_files.h"

namespace gptj {
namespace {

Tokenizer gpt2_tokenizer() {
  return Tokenizer(read_vocab_directory(GPTJ_TEST_DATA "/tokenizer/gpt2"));
}

std::string random_text(std::mt19937& random, std::string_view letters, size_t size) {
  std::string text;
  while (text.size() < size) text += letters[random() % letters.size()];
  return text;
}

std::string random_bytes(std::mt19937& random, size_t size) {
  std::string text;
  while (text.size() < size) text += static_cast<char>(random() & 0xff);
  return text;
}

TEST(Tokenizer, AnyBytesSurviveTheRoundTrip) {
  const Tokenizer tokenizer = gpt2_tokenizer();
  std::mt19937 random(1);
  for (int round = 0; round < 3000; ++round) {
    const size_t size = random() % 60;
    // Few different bytes make sequences that are cut, overlong, or nearly right.
    const std::string text = round % 2 == 0
                                 ? random_bytes(random, size)
                                 : random_text(random, "a1 '\n\xc3\xa9\xe4\xb8\xad\xf0\x9f\xff", size);
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(text)), text) << testing::PrintToString(text);
  }
}

TEST(Tokenizer, InvalidBytesJoinPunctuation) {
  const Tokenizer tokenizer = gpt2_tokenizer();
  const std::vector<int> alone = tokenizer.encode("\xff");
  ASSERT_EQ(alone.size(), 1U);
  EXPECT_EQ(tokenizer.decode(alone[0]), "\xff");
  EXPECT_EQ(tokenizer.encode("the\xffthe"), (std::vector<int>{1169, alone[0], 1169}));
}

TEST(Tokenizer, DecodesSingleTokensAndPadding) {
  const Tokenizer tokenizer = gpt2_tokenizer();
  EXPECT_EQ(tokenizer.n_tokens(), 50257);
  EXPECT_EQ(tokenizer.decode(15496), "Hello");
  EXPECT_EQ(tokenizer.decode(995), " world");
  EXPECT_EQ(tokenizer.decode(50256), "<|endoftext|>");
  EXPECT_EQ(tokenizer.decode(50257), "");
  EXPECT_EQ(tokenizer.decode(-1), "");
  EXPECT_EQ(tokenizer.bos(), 50256);
  EXPECT_EQ(tokenizer.eos(), 50256);
}

TEST(Tokenizer, ThreadsShareOne) {
  const Tokenizer tokenizer = gpt2_tokenizer();
  const std::string text = "Threads share one tokenizer. <|endoftext|> 12345 \xe4\xb8\xad\xe6\x96\x87";
  const std::vector<int> expected = tokenizer.encode(text);
  std::vector<std::vector<int>> found(4);
  std::vector<std::thread> threads;
  for (auto& ids : found) {
    threads.emplace_back([&] {
      for (int round = 0; round < 100; ++round) ids = tokenizer.encode(text);
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& ids : found) EXPECT_EQ(ids, expected);
}

/// What is quadratic takes hours here, and meets the time limit of ctest.
void expect_round_trip(const Tokenizer& tokenizer, const std::string& text) {
  EXPECT_EQ(tokenizer.decode(tokenizer.encode(text)), text) << testing::PrintToString(text.substr(0, 10));
}

TEST(TokenizerHang, OneMegabyteOfAnything) {
  constexpr size_t kMegabyte = test::kSanitized ? 100'000 : 1'000'000;
  const Tokenizer tokenizer = gpt2_tokenizer();
  std::mt19937 random(1);
  for (const char c : std::string("a '\n-0\xff")) expect_round_trip(tokenizer, std::string(kMegabyte, c));
  expect_round_trip(tokenizer, random_bytes(random, kMegabyte));
  expect_round_trip(tokenizer, random_text(random, "abcdefghijklmnopqrstuvwxyz", kMegabyte));  // one word
  expect_round_trip(tokenizer, random_text(random, " \n\t", kMegabyte));
  expect_round_trip(tokenizer, random_text(random, "ab ", kMegabyte));
}

TEST(TokenizerHang, LongRuns) {
  constexpr size_t kLength = 100000;
  const Tokenizer tokenizer = gpt2_tokenizer();
  expect_round_trip(tokenizer, std::string(kLength, ' ') + "x");
  expect_round_trip(tokenizer, std::string(kLength, 'x'));
}

TEST(TokenizerHang, HundredsOfAddedTokens) {
  Vocab vocab = read_vocab_directory(GPTJ_TEST_DATA "/tokenizer/gpt2");
  for (int i = 0; i < 500; ++i) {
    const int id = static_cast<int>(vocab.tokens.size());
    vocab.tokens.push_back("<|extratoken_" + std::to_string(i) + "|>");
    vocab.added.push_back({.id = id, .text = vocab.tokens.back()});
  }
  const Tokenizer tokenizer(vocab);
  std::string text;
  while (text.size() < 1000000) text += text.size() % 3 == 0 ? "<|extratoken_17|>" : "<|extratoken_";
  expect_round_trip(tokenizer, text);
  expect_round_trip(tokenizer, std::string(1000000, '<'));
}

}  // namespace
}  // namespace gptj
