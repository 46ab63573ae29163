#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "terminal/log.h"

namespace gptj::apps {

/// Where the lines come from that a user types.
class Lines {
 public:
  struct Line {
    enum class What { text, interrupted, end };
    What what;
    std::string text;  // without its newline; of an interrupted line what was there
  };

  virtual ~Lines() = default;

  /// Asks with `prompt`, if somebody is there to read it. SIGINT interrupts, other signals end. Throws Error.
  virtual Line read(const std::string& prompt) = 0;
};

/// Ways to complete the beginning of a line, all of it: for the Tab key.
using Completions = std::function<std::vector<std::string>(const std::string& line)>;

/// With editing and history on a terminal that can do it, as they are elsewhere. keep_interrupts() must have been called.
std::unique_ptr<Lines> open_lines(const Completions& completions, const Log& log);

}  // namespace gptj::apps
