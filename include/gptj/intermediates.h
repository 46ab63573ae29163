#pragma once

#include <memory>
#include <string>

#include "gptj/session.h"

namespace gptj {

/// Writes what Session::watch() shows of `n_tokens` tokens to a directory: DIR/NAME.npy holds float32 of shape
/// (n_tokens, n). The directory appears only when it is complete. Throws Error if it is there and not empty, or
/// cannot be written.
class IntermediatesWriter {
 public:
  IntermediatesWriter(const std::string& directory, int n_tokens);
  IntermediatesWriter(IntermediatesWriter&&) noexcept;
  IntermediatesWriter& operator=(IntermediatesWriter&&) noexcept;
  ~IntermediatesWriter();  // without finish(): leaves nothing

  /// Adds the values of the next tokens.
  void add(const Intermediate& seen);

  /// To be called after the last token. Returns the number of files.
  size_t finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gptj
