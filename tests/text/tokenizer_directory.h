#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/temporary_directory.h"

namespace gptj::test {

/// A directory with tokenizer files, gone with the object. It begins with a small valid vocabulary:
/// the 256 bytes, "ab" (256), "abc" (257) and "<|endoftext|>" (258).
class TokenizerDirectory {
 public:
  TokenizerDirectory();

  const std::string& path() const { return directory_.path(); }
  void write(std::string_view name, std::string_view text) const;
  void remove(std::string_view name) const;

  /// What it begins with, to build upon.
  static nlohmann::json vocab();           // as vocab.json holds it
  static nlohmann::json tokenizer_json();  // the same as one file

 private:
  TemporaryDirectory directory_;
};

/// Reading the directory must fail with one short line that names it and everything in `words`.
void expect_error(const TokenizerDirectory& directory, const std::vector<std::string>& words);

}  // namespace gptj::test
