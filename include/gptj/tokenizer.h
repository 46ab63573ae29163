#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gptj {

struct Vocab;

/// GPT-2's byte-level BPE, exact: the ids are those of Hugging Face's tokenizer for the same vocabulary.
/// Const after construction; may be shared by threads.
class Tokenizer {
 public:
  /// Throws Error if the vocabulary cannot serve (no token for some byte, a merge without its token, ...).
  explicit Tokenizer(Vocab vocab);
  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  /// Any bytes, valid UTF-8 or not; decode() of the result gives the same bytes back, but for white space
  /// that the vocabulary's own settings add or strip. Time is linear in the text's length.
  std::vector<int> encode(std::string_view text) const;

  /// The bytes of one token; empty for an id that the model has but the vocabulary does not (padding rows).
  std::string_view decode(int id) const;
  std::string decode(std::span<const int> ids) const;

  /// Whether it is an added token, which is cut out of a text before BPE: <|endoftext|> and the like.
  bool is_added(int id) const;

  int n_tokens() const;
  std::optional<int> bos() const;
  std::optional<int> eos() const;  // the end-of-text token

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

}  // namespace gptj
