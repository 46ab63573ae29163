#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "text/vocab.h"

namespace gptj {

/// A part of a text: an added token, or the text between two of them.
struct Segment {
  static constexpr int kText = -1;
  std::string_view text;  // empty for a token
  int id = kText;
};

/// Finds added tokens in a text as Hugging Face's tokenizers do: from left to right, the longest first. A match that
/// `single_word` refuses is skipped as a whole. Const use may be shared by threads.
class AddedTokens {
 public:
  explicit AddedTokens(const std::vector<AddedToken>& tokens);

  std::vector<Segment> split(std::string_view text) const;

 private:
  /// Tokens that are searched for in one pass over the text.
  class Pass {
   public:
    void add(const AddedToken& token);
    void sort();
    void split(std::string_view text, std::vector<Segment>& segments) const;

   private:
    const AddedToken* longest_at(std::string_view text, size_t at) const;

    std::vector<AddedToken> tokens_;  // sorted by text
    std::array<bool, 256> begins_{};  // bytes with which some token begins
  };

  Pass raw_, normalized_;
};

}  // namespace gptj
