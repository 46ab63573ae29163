#include "text/tokenizer_directory.h"

#include <gtest/gtest.h>
#include <utf8proc.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "gptj/error.h"
#include "gptj/tokenizer.h"
#include "text/vocab_files.h"

namespace gptj::test {

using nlohmann::json;

TokenizerDirectory::TokenizerDirectory() {
  write("vocab.json", vocab().dump());
  write("merges.txt", "#version: 0.2\na b\nab c\n");
}

void TokenizerDirectory::write(std::string_view name, std::string_view text) const {
  std::ofstream(std::filesystem::path(path()) / name, std::ios::binary) << text;
}

void TokenizerDirectory::remove(std::string_view name) const {
  std::filesystem::remove(std::filesystem::path(path()) / name);
}

json TokenizerDirectory::vocab() {
  json vocab = json::object();
  int next = 0x100;
  for (int byte = 0; byte < 256; ++byte) {
    const bool printable = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte != 0xad);
    std::array<utf8proc_uint8_t, 4> written{};
    const auto size = utf8proc_encode_char(printable ? byte : next++, written.data());
    vocab[std::string(written.begin(), written.begin() + size)] = byte;
  }
  vocab["ab"] = 256;
  vocab["abc"] = 257;
  vocab["<|endoftext|>"] = 258;
  return vocab;
}

json TokenizerDirectory::tokenizer_json() {
  return {{"added_tokens", json::array()},
          {"model", {{"type", "BPE"}, {"vocab", vocab()}, {"merges", {"a b", "ab c"}}}}};
}

void expect_error(const TokenizerDirectory& directory, const std::vector<std::string>& words) {
  try {
    Tokenizer tokenizer(read_vocab_directory(directory.path()));
    ADD_FAILURE() << "read it, expected an error about " << testing::PrintToString(words);
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_LT(message.size(), 600U) << message;
    EXPECT_EQ(message.find_first_of("\n\r\x1b"), std::string::npos) << message;
    EXPECT_NE(message.find(directory.path()), std::string::npos) << message;
    for (const std::string& word : words) {
      EXPECT_NE(message.find(word), std::string::npos) << "expected " << word << " in: " << message;
    }
  }
}

}  // namespace gptj::test
