#pragma once

#include <string>
#include <string_view>

#include "gptj/generate.h"

namespace gptj::apps {

/// Writes an answer to standard output as it is made: all of it, or, if `clean`, without the white space around it.
class AnswerOutput {
 public:
  explicit AnswerOutput(bool clean) : clean_(clean) {}

  void push(std::string_view bytes);
  /// Ends the line, also that on which a terminal has shown ^C.
  void finish(bool interrupted) const;
  const std::string& bytes() const { return bytes_; }  // all of them

 private:
  const bool clean_;
  std::string bytes_;
  size_t n_shown_ = 0;  // of them, those left out included
  bool is_line_open_ = true;
  Utf8Stream stream_;
};

}  // namespace gptj::apps
