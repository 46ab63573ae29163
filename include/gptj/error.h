#pragma once

#include <stdexcept>

namespace gptj {

/// What a user, a file or the system can cause: the message names the thing, what was expected, what was
/// found, and where possible a hint. A programmer's mistake is an assert, never an Error.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace gptj
