#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace gptj::apps {

/// Throws Error: "cannot read 'a.txt': " and what errno means.
[[noreturn]] void fail_system(std::string_view what, std::string_view name);

/// Prepares standard streams and signals; to be called first, before any file is opened.
void set_up_console();

/// The signal that asked the program to end: SIGINT, SIGTERM or SIGHUP; 0: none so far. The first one only sets this;
/// a second one kills the program at once.
int stop_signal();

/// stop_signal() has come. For callbacks such as `cancelled`.
bool stop_asked();
/// Throws Error if it has.
void stop_if_asked();

/// From now on SIGINT never kills: it is what take_interrupt() finds. For programs that go on after it.
void keep_interrupts();

/// Whether SIGINT has come since the last call; stop_signal() forgets it.
bool take_interrupt();

/// True when standard input can be read or has ended; false when a signal has come, after keep_interrupts().
bool wait_for_input();

/// Ends wait_for_input(); may be called by a signal handler.
void wake_input();

/// Writes `bytes` to standard output, unbuffered, so that text is seen as it is made. Throws Error when it
/// cannot be written (a full disk, a closed stream); a pipe that nobody reads ends the program as SIGPIPE
/// does.
void write_out(std::string_view bytes);

/// Throws Error if standard output is not open for writing: before long work whose result would be lost.
void check_out();

/// Writes to standard error. Where that fails, nobody is left to be told.
void put_error(std::string_view text);

/// Clears the line that the cursor is in, on the terminal that errors go to.
void clear_error_line();

bool input_is_terminal();
bool errors_are_on_terminal();

/// The width of the terminal that standard output is; nothing if it is none or does not tell.
std::optional<size_t> output_columns();

/// TERM is set, and not "dumb".
bool terminal_is_capable();

}  // namespace gptj::apps
