#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gptj/error.h"
#include "gptj/tokenizer.h"
#include "text/tokenizer_directory.h"
#include "text/vocab_files.h"

namespace gptj {
namespace {

using nlohmann::json;
using test::expect_error;
using test::TokenizerDirectory;
using Ids = std::vector<int>;

Ids encode(const TokenizerDirectory& directory, std::string_view text) {
  return Tokenizer(read_vocab_directory(directory.path())).encode(text);
}

json added(int id, const char* content) {
  return {{"id", id}, {"content", content}, {"special", true}};
}

TEST(VocabHuggingFace, TwoFiles) {
  const TokenizerDirectory directory;
  const Vocab vocab = read_vocab_directory(directory.path());
  EXPECT_EQ(vocab.tokens.size(), 259U);
  EXPECT_EQ(vocab.tokens[' '], " ");
  EXPECT_EQ(vocab.tokens[0xff], "\xff");
  EXPECT_EQ(vocab.eos, 258);
  EXPECT_EQ(encode(directory, "abcab <|endoftext|>"), (Ids{257, 256, ' ', 258}));
}

TEST(VocabHuggingFace, AnAddedTokenDecodesToItsTextWhereverItsIdIs) {
  const TokenizerDirectory directory;
  json vocab = TokenizerDirectory::vocab();
  vocab["\xc3\xa9\xc3\xa9"] = 259;  // as a merge it would be two bytes 0xe9
  directory.write("vocab.json", vocab.dump());
  directory.write("merges.txt", "a b\nab c\n\xc3\xa9 \xc3\xa9\n");
  directory.write("added_tokens.json", R"({"\u00e9\u00e9": 259, "\u00fc\u00fc": 260})");
  const Tokenizer tokenizer(read_vocab_directory(directory.path()));
  const std::string text = "x\xc3\xa9\xc3\xa9\xc3\xbc\xc3\xbc";
  EXPECT_EQ(tokenizer.encode(text), (Ids{'x', 259, 260}));
  EXPECT_EQ(tokenizer.decode(tokenizer.encode(text)), text);
}

TEST(VocabHuggingFace, TokenizerJsonComesFirst) {
  TokenizerDirectory directory;
  directory.write("vocab.json", "{}");
  json tokenizer = TokenizerDirectory::tokenizer_json();
  directory.write("tokenizer.json", tokenizer.dump());
  EXPECT_EQ(encode(directory, "abc"), Ids{257});
  tokenizer["model"]["merges"] = json::parse(R"([["a", "b"], ["ab", "c"]])");
  directory.write("tokenizer.json", tokenizer.dump());
  EXPECT_EQ(encode(directory, "abc"), Ids{257});
}

TEST(VocabHuggingFace, FormsOfMergesTxt) {
  const TokenizerDirectory directory;
  for (const char* text : {"a b\nab c", "a b\r\nab c\r\n", "#version: 0.2\r\na b\r\nab c"}) {
    directory.write("merges.txt", text);
    EXPECT_EQ(encode(directory, "abc"), Ids{257}) << text;
  }
  json vocab = TokenizerDirectory::vocab();
  vocab["##"] = 259;
  directory.write("vocab.json", vocab.dump());
  directory.write("merges.txt", "# #\n");  // no comment
  EXPECT_EQ(encode(directory, "##"), Ids{259});
  directory.write("merges.txt", "");
  EXPECT_EQ(encode(directory, "ab"), (Ids{'a', 'b'}));
}

TEST(VocabHuggingFace, RolesOfSpecialTokens) {
  const TokenizerDirectory directory;
  directory.write("added_tokens.json", R"({"[E]": 259, "[B]": 260})");
  directory.write("tokenizer_config.json",
                  R"({"bos_token": "[B]", "eos_token": "ab", "add_bos_token": false})");
  Vocab vocab = read_vocab_directory(directory.path());
  EXPECT_EQ(vocab.bos, 260);
  EXPECT_EQ(vocab.eos, 256);
  // special_tokens_map.json has the last word; what is not in the vocabulary has no id.
  directory.write("special_tokens_map.json",
                  R"({"eos_token": {"content": "[E]"}, "bos_token": "[missing]"})");
  vocab = read_vocab_directory(directory.path());
  EXPECT_EQ(vocab.bos, std::nullopt);
  EXPECT_EQ(vocab.eos, 259);
  directory.write("tokenizer_config.json", R"({"bos_token": null, "eos_token": null})");
  directory.remove("special_tokens_map.json");
  vocab = read_vocab_directory(directory.path());
  EXPECT_EQ(vocab.bos, std::nullopt);
  EXPECT_EQ(vocab.eos, std::nullopt);
}

TEST(VocabHuggingFace, NoDirectoryNoVocabulary) {
  const TokenizerDirectory directory;
  directory.remove("merges.txt");
  expect_error(directory, {"merges.txt"});
  directory.remove("vocab.json");
  expect_error(directory, {"tokenizer.json", "vocab.json", "found neither"});
}

TEST(VocabHuggingFace, BadJson) {
  const TokenizerDirectory directory;
  for (const char* text :
       {"", "{", "[]", "3", "{\"a\": 0,}", "{\"a\": 0} x", "{\"\xff\": 0}", "\xef\xbb\xbf{]"}) {
    directory.write("vocab.json", text);
    expect_error(directory, {"vocab.json", "JSON"});
  }
  directory.write("vocab.json", R"({"a": 0, "a": 1})");
  expect_error(directory, {"vocab.json", "'a'", "twice"});
  directory.write("vocab.json", std::string(100000, '[') + std::string(100000, ']'));
  expect_error(directory, {"vocab.json", "deep"});
  directory.write("vocab.json", TokenizerDirectory::vocab().dump());
  for (const char* name : {"tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"}) {
    directory.write(name, "{\"x\":\n]");
    expect_error(directory, {name, "byte 7"});
    directory.remove(name);
  }
}

TEST(VocabHuggingFace, BadIds) {
  const TokenizerDirectory directory;
  const auto expect = [&](const json& id, const std::vector<std::string>& words) {
    json vocab = TokenizerDirectory::vocab();
    vocab["abc"] = id;
    directory.write("vocab.json", vocab.dump());
    expect_error(directory, words);
  };
  expect(-1, {"vocab.json", "'abc'", "-1"});
  expect(1.5, {"'abc'", "1.5"});
  expect("257", {"'abc'", "257"});
  expect(nullptr, {"'abc'", "null"});
  expect(json::array({1}), {"'abc'", "array"});
  expect(18446744073709551615U, {"'abc'", "18446744073709551615"});
  expect(2000000000, {"0 to 258", "gap before 258"});  // and no allocation of 2 billion tokens
  expect(259, {"0 to 258", "gap before 258"});
  expect(256, {"0 to 258", "second 256"});
}

TEST(VocabHuggingFace, BadMerges) {
  const TokenizerDirectory directory;
  const auto expect = [&](const char* merges, const std::vector<std::string>& words) {
    directory.write("merges.txt", merges);
    expect_error(directory, words);
  };
  expect("#version: 0.2\na b\n\nab c\n", {"merges.txt", "line 3", "blank"});
  expect("a b\nabc\n", {"merges.txt", "line 2", "'abc'"});
  expect("a b c\n", {"line 1", "'a b c'"});
  expect("a  b\n", {"line 1"});
  expect(" b\n", {"line 1"});
  expect("a \n", {"line 1"});
  expect("a \x1b\n", {"merge 0", "'\\x1b'"});
  expect("b c\n", {"merge 0", "'bc'"});        // no such result
  expect("a b\nxy c\n", {"merge 1", "'xy'"});  // no such part
}

TEST(VocabHuggingFace, MissingBytes) {
  const TokenizerDirectory directory;
  directory.write("vocab.json", R"({"a": 0})");
  directory.write("merges.txt", "");
  expect_error(directory, {"vocab.json", "0x00", "byte-level"});
}

TEST(VocabHuggingFace, BadTokenizerJson) {
  const TokenizerDirectory directory;
  const auto expect = [&](const char* pointer, const json& value, const std::vector<std::string>& words) {
    json tokenizer = TokenizerDirectory::tokenizer_json();
    tokenizer[json::json_pointer(pointer)] = value;
    directory.write("tokenizer.json", tokenizer.dump());
    expect_error(directory, words);
  };
  expect("/model", json::array(), {"tokenizer.json", "model", "array"});
  expect("/model/type", "Unigram", {"model.type", "BPE", "Unigram"});
  expect("/model/vocab", json::array(), {"model.vocab", "an object", "array"});
  expect("/model/vocab/abc", -1, {"model.vocab", "'abc'", "-1"});
  expect("/model/merges", nullptr, {"model.merges", "an array", "null"});
  expect("/model/merges/1", "abc", {"model.merges[1]", "'\"abc\"'"});
  expect("/model/merges/0", json::array({"a", "b", "c"}), {"model.merges[0]", "array"});
  expect("/model/merges/0", json::array({"a", 1}), {"model.merges[0]"});
  expect("/added_tokens", json::object(), {"added_tokens", "an array"});
  expect("/added_tokens", json::array({1}), {"added_tokens[0]", "an object"});
  expect("/added_tokens", json::array({{{"content", "x"}}}), {"added_tokens[0]", "'id'", "null"});
  expect("/added_tokens", json::array({added(259, "x"), {{"id", 260}}}),
         {"added_tokens[1].content", "a string"});
  expect("/added_tokens", json::array({added(2000000000, "[X]")}), {"gap before 2000000000", "'[X]'"});
  expect("/added_tokens", json::array({added(256, "[X]")}), {"second 256"});
  expect("/added_tokens", json::array({added(7, "ab")}), {"'ab'", "256", "7"});
  expect("/added_tokens", json::array({{{"id", 259}, {"content", "x"}, {"lstrip", 1}}}),
         {"added_tokens[0].lstrip", "true or false"});
}

TEST(VocabHuggingFace, BadSettings) {
  const TokenizerDirectory directory;
  const auto expect = [&](const char* text, const std::vector<std::string>& words) {
    directory.write("tokenizer_config.json", text);
    expect_error(directory, words);
  };
  expect(R"({"add_prefix_space": "yes"})", {"tokenizer_config.json", "add_prefix_space", "yes"});
  expect(R"({"eos_token": 7})", {"eos_token", "7"});
  expect(R"({"eos_token": {"content": 7}})", {"'eos_token'.content", "7"});
  expect(R"({"\u001b[2J_token": {"content": 7}})", {R"('\x1b[2J_token'.content)", "7"});
  expect(R"({"extra_special_tokens": "x"})", {"extra_special_tokens", "x"});
  expect(R"({"added_tokens_decoder": []})", {"added_tokens_decoder", "array"});
  expect(R"({"added_tokens_decoder": {"x": {"content": "y"}}})", {"added_tokens_decoder", "x"});
  expect(R"({"added_tokens_decoder": {"-1": {"content": "y"}}})", {"added_tokens_decoder", "-1"});
  expect(R"({"added_tokens_decoder": {"99999999999": {"content": "y"}}})",
         {"added_tokens_decoder", "99999999999"});
  expect(R"({"added_tokens_decoder": {"259": 3}})", {"added_tokens_decoder.'259'", "3"});
  directory.remove("tokenizer_config.json");
  directory.write("added_tokens.json", R"({"[X]": -5})");
  expect_error(directory, {"added_tokens.json", "'[X]'", "-5"});
}

/// Whatever a file holds, it is read or refused with an Error, and what is read can encode.
TEST(VocabHuggingFace, DamagedFiles) {
  constexpr int kRounds = 150;
  const std::vector<std::pair<const char*, std::string>> files = {
      {"vocab.json", TokenizerDirectory::vocab().dump()},
      {"merges.txt", "#version: 0.2\na b\nab c\n"},
      {"added_tokens.json", R"({"[E]": 259, "[B]": 260})"},
      {"tokenizer_config.json", R"({"added_tokens_decoder": {"259": {"content": "[E]", "lstrip": true}}})"},
      {"tokenizer.json", TokenizerDirectory::tokenizer_json().dump()},
  };
  std::mt19937 random(1);
  int n_read = 0;
  int n_refused = 0;
  for (const auto& [name, whole] : files) {
    const TokenizerDirectory directory;
    for (int round = 0; round < kRounds; ++round) {
      std::string damaged = whole;
      if (round % 3 == 0) damaged.resize(random() % damaged.size());
      for (int flips = round % 3; flips > 0; --flips) {
        damaged[random() % damaged.size()] = "0a \"'{}[],:\\\n\xc3\xff-9e"[random() % 18];
      }
      directory.write(name, damaged);
      try {
        const Tokenizer tokenizer(read_vocab_directory(directory.path()));
        tokenizer.encode("abcab <|endoftext|> [E] \xff");
        ++n_read;
      } catch (const Error&) {
        ++n_refused;
      }
    }
  }
  EXPECT_GT(n_read, kRounds / 10);
  EXPECT_GT(n_refused, kRounds);
}

}  // namespace
}  // namespace gptj
