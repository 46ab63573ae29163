#include <gtest/gtest.h>
#include <utf8proc.h>

#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "gptj/tokenizer.h"
#include "text/vocab_files.h"

/// Ids must be those of Hugging Face's GPT2Tokenizer; tools/make_golden_tokenizer.py has written them.
namespace gptj {
namespace {

using Ids = std::vector<int>;

const std::string kData = GPTJ_TEST_DATA "/tokenizer";
const std::string kDemo = GPTJ_DEMO_MODELS "/gpt-j";

/// (text, ids) of each line of a file.
std::vector<std::pair<std::string, Ids>> read_golden(const std::string& path, const char* ids) {
  std::vector<std::pair<std::string, Ids>> golden;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const auto entry = nlohmann::json::parse(line);
    golden.emplace_back(entry["text"].get<std::string>(), entry[ids].get<Ids>());
  }
  EXPECT_GT(golden.size(), 100U) << path;
  return golden;
}

void expect_texts(const Tokenizer& tokenizer, const char* ids) {
  for (const auto& [text, expected] : read_golden(kData + "/texts.jsonl", ids)) {
    const Ids found = tokenizer.encode(text);
    EXPECT_EQ(found, expected) << testing::PrintToString(text);
    EXPECT_EQ(tokenizer.decode(found), text);
  }
}

/// The vocabulary as a ggml file would hold it.
Tokenizer as_ggml(const std::string& directory) {
  return Tokenizer(vocab_from_ggml_tokens(read_vocab_directory(directory).tokens));
}

TEST(Golden, Gpt2) {
  expect_texts(Tokenizer(read_vocab_directory(kData + "/gpt2")), "gpt2");
}

TEST(Golden, Gpt2FromGgml) {
  expect_texts(as_ggml(kData + "/gpt2"), "gpt2");
}

TEST(Golden, Demo) {
  expect_texts(Tokenizer(read_vocab_directory(kDemo)), "demo");
}

TEST(Golden, DemoFromGgml) {
  expect_texts(as_ggml(kDemo), "demo");
}

TEST(Golden, PaddingOfGgmlFilesChangesNothing) {
  auto tokens = read_vocab_directory(kData + "/gpt2").tokens;
  const std::vector<std::string> padding = {"", "the", "", "<pad>", "dummy00017", "[unused1]", "x"};
  tokens.insert(tokens.end(), padding.begin(), padding.end());
  expect_texts(Tokenizer(vocab_from_ggml_tokens(tokens)), "gpt2");
}

/// Each code point between letters, numbers, spaces and apostrophes.
std::string block_text(int32_t first) {
  std::string text;
  for (int32_t code_point = first; code_point < first + 256; ++code_point) {
    std::array<utf8proc_uint8_t, 4> bytes{};
    const auto size = utf8proc_encode_char(code_point, bytes.data());
    const std::string c(bytes.begin(), bytes.begin() + size);
    for (const char* between : {"a", "b ", "1", " ", "", "'s\n"}) {
      text += between;
      if (between != std::string_view("'s\n")) text += c;
    }
  }
  return text;
}

/// FNV-1a of the ids as little-endian 32-bit words.
uint64_t fnv1a(const Ids& ids) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const int id : ids) {
    for (int shift = 0; shift < 32; shift += 8) {
      hash = (hash ^ (static_cast<uint32_t>(id) >> shift & 0xff)) * 0x100000001b3;
    }
  }
  return hash;
}

TEST(Golden, EveryCodePointInContext) {
  const Tokenizer tokenizer(read_vocab_directory(kData + "/gpt2"));
  std::ifstream file(kData + "/blocks.txt");
  int n_blocks = 0;
  int32_t first = 0;
  for (uint64_t expected = 0; file >> std::hex >> first >> expected; ++n_blocks) {
    EXPECT_EQ(fnv1a(tokenizer.encode(block_text(first))), expected) << "block from U+" << std::hex << first;
  }
  EXPECT_GT(n_blocks, 1200);
}

class GoldenAdded : public testing::TestWithParam<const char*> {};

TEST_P(GoldenAdded, Texts) {
  const std::string directory = kData + "/added/" + GetParam();
  const Tokenizer tokenizer(read_vocab_directory(directory));
  for (const auto& [text, expected] : read_golden(directory + "/texts.jsonl", "ids")) {
    EXPECT_EQ(tokenizer.encode(text), expected) << testing::PrintToString(text);
  }
}

INSTANTIATE_TEST_SUITE_P(Directories, GoldenAdded,
                         testing::Values("legacy", "flags", "prefix", "one_file", "one_file_pairs"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace gptj
