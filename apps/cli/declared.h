#pragma once

#include <string>
#include <vector>

#include "program.h"

namespace gptj::apps {

/// An option or a positional argument of a command, as the command declares it.
struct DeclaredOption {
  std::vector<std::string> names;    // "-n", "--n_predict"; none: positional
  std::string value;                 // what help calls the value or the argument: "N", "IN"; empty: a flag
  std::vector<std::string> choices;  // all values that there are; empty: any
  std::string help;
  std::string group;
  bool required;
  bool repeated;
};

/// What a command declares. Its run() is called for that, but does not get beyond CommandLine::parse().
std::vector<DeclaredOption> declared_options(const Program& program, const Command& command);

}  // namespace gptj::apps
