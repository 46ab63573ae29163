#pragma once

#include <string>
#include <string_view>

namespace gptj::apps {

/// Prepares standard streams and signals; to be called first, before any file is opened.
void set_up_console();

/// The signal that asked the program to end, SIGINT or SIGTERM; 0: none so far. The first one only sets this;
/// a second one kills the program at once.
int stop_signal();

/// Writes `bytes` to standard output, unbuffered, so that text is seen as it is made. Throws Error when it
/// cannot be written (a full disk, a closed stream); a pipe that nobody reads ends the program as SIGPIPE
/// does.
void write_out(std::string_view bytes);

/// Throws Error if standard output is not open for writing: before long work whose result would be lost.
void check_out();

/// Writes to standard error. Where that fails, nobody is left to be told.
void put_error(std::string_view text);

/// All bytes of a file or of standard input. Throws Error.
std::string read_file(const std::string& path);
std::string read_standard_input();

bool input_is_terminal();
bool errors_are_on_terminal();

}  // namespace gptj::apps
