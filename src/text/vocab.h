#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace gptj {

/// A token that is cut out of the text before BPE sees it.
struct AddedToken {
  int id = -1;
  std::string text;
  bool normalized = false;   // tokens that are not are matched first
  bool lstrip = false;       // swallows white space on its left
  bool rstrip = false;       // swallows white space on its right
  bool single_word = false;  // does not match beside a word character
};

/// A vocabulary as files give it, whatever their form. Tokens are raw bytes, not GPT-2's printable alphabet for
/// bytes.
struct Vocab {
  std::string source;                       // the file or directory, for messages
  std::vector<std::string> tokens;          // index = id
  std::vector<std::pair<int, int>> merges;  // index = rank; the ids of the tokens that it joins
  std::vector<AddedToken> added;
  bool add_prefix_space = false;  // before each text between added tokens that does not begin with one
  std::optional<int> bos, eos;
};

}  // namespace gptj
