#pragma once

#include <cstddef>
#include <string_view>

#include "gptj/generate.h"

namespace gptj::apps {

/// Writes prompt and text to standard output as they are made, up to a newline at the end.
class TextWriter {
 public:
  /// `hidden`: the prompt is not what the user wrote, but stands for nothing or is that which a session goes on with.
  TextWriter(bool hidden, size_t n_prompt) : hidden_(hidden), n_prompt_(n_prompt) {}

  /// The bytes of one token; the prompt's tokens come first.
  void show(std::string_view bytes);
  void finish();

 private:
  Utf8Stream stream_;
  const bool hidden_;
  const size_t n_prompt_;
  size_t n_shown_ = 0;  // tokens
};

}  // namespace gptj::apps
