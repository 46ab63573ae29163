#pragma once

#include <string>
#include <vector>

#include "chat/chat.h"

namespace gptj::apps {

/// Does what "/NAME ARGUMENT" asks for, and says so on standard output if nothing else shows it. False: ends the program.
/// Throws Error, also if there is no such command.
bool run_chat_command(Chat& chat, const Program& program, const std::string& line);

/// For the Tab key: command lines that begin with `line`.
std::vector<std::string> complete_chat_command(const Program& program, const std::string& line);

/// One line for each command.
std::string chat_commands_help();

}  // namespace gptj::apps
