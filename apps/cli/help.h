#pragma once

#include <memory>
#include <string>
#include <vector>

#include "program.h"

namespace CLI {
class FormatterBase;
class Option;
}  // namespace CLI

namespace gptj::apps {

/// How --help looks, in the width of the terminal: usage, options, and for the program without a command's word the
/// list of commands.
std::shared_ptr<CLI::FormatterBase> help_formatter(const Program& program, const Command& command);

/// An option's names with their dashes. Of two that differ in dashes and underscores only there is one here: both are
/// understood, which need not be said forty times.
std::vector<std::string> option_names(const CLI::Option& option);

}  // namespace gptj::apps
