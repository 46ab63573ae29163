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
  /// Throws Error if the vocabulary cannot be used (no token for some byte, a merge without its token, ...).
  explicit Tokenizer(Vocab vocab);
  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  /// Encodes any bytes, valid UTF-8 or not; decode() of the result gives them back, except for white space that the
  /// vocabulary's own settings add or strip. Takes O(n log n) time at most. Throws Error for texts of 2 GiB and more.
  std::vector<int> encode(std::string_view text) const;

  /// The bytes of one token; empty for an id that the vocabulary does not have (padding rows of the model).
  std::string_view decode(int id) const;
  std::string decode(std::span<const int> ids) const;

  /// Whether a token, such as <|endoftext|>, is not made by BPE but cut out of the text before it.
  bool is_added(int id) const;

  int n_tokens() const;
  std::optional<int> bos() const;
  std::optional<int> eos() const;  // the end-of-text token

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

}  // namespace gptj
