#pragma once

#include <memory>
#include <string>

#include "gptj/session.h"

namespace gptj {

/// Writes what Session::watch() sees of `n_tokens` tokens to a directory: float32 of shape (n_tokens, n) in DIR/NAME.npy. The
/// directory appears only when it is complete. Throws Error if it is there and not empty, or cannot be written.
class IntermediatesWriter {
 public:
  IntermediatesWriter(const std::string& directory, int n_tokens);
  IntermediatesWriter(IntermediatesWriter&&) noexcept;
  IntermediatesWriter& operator=(IntermediatesWriter&&) noexcept;
  ~IntermediatesWriter();  // without finish(): leaves nothing

  /// The next tokens' values.
  void add(const Intermediate& seen);

  /// After the last token of each. Returns how many files there are.
  size_t finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gptj
