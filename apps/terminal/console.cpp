#include "terminal/console.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <system_error>

#include "gptj/error.h"
#include "gptj/mapped_file.h"

namespace gptj::apps {
namespace {

std::atomic<int> g_stop_signal = 0;
static_assert(std::atomic<int>::is_always_lock_free);  // a signal handler writes it

/// A pipe: a byte in it wakes wait_for_input(), whatever thread the signal came to and however early.
std::array<int, 2> g_wake = {-1, -1};

void on_stop_signal(int signal) {
  int expected = 0;
  if (signal == SIGINT) {
    g_stop_signal.compare_exchange_strong(expected, signal);  // what ends the program is not forgotten for it
  } else {
    g_stop_signal = signal;
  }
  wake_input();
}

/// A part of a mapped model file cannot be read: nothing can go on without it.
void on_bus_error(int, siginfo_t* info, void*) {
  static std::atomic_flag telling;
  while (telling.test_and_set()) ::pause();  // another thread tells it, and ends this one, too
  const char* const file = mapped_file(info->si_addr);
  for (const std::string_view part : {"cannot read ", file == nullptr ? "a model file" : file,
                                      ", which is in use: the disk failed, or somebody cut the file off\n"}) {
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, part.data(), part.size());
  }
  ::_exit(EXIT_FAILURE);
}

}  // namespace

void fail_system(std::string_view what, std::string_view name) {
  const int code = errno;
  throw Error(fmt::format("{} {}: {}", what, name, std::system_category().message(code)));
}

void set_up_console() {
  // A standard stream that the caller closed would lend its number to the next file that is opened, and then
  // text would go into a model file. Its place is taken by a descriptor that is open the other way round, so
  // that using it still fails; messages to a closed stderr are dropped.
  constexpr int kInstead[] = {O_WRONLY, O_RDONLY, O_RDWR};
  for (int fd = 0; fd <= 2; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0) ::open("/dev/null", kInstead[fd]);  // gets the lowest free number: fd
  }
  std::signal(SIGPIPE, SIG_DFL);  // even if the caller ignores it: a filter ends quietly with its reader
  struct sigaction action {};
  action.sa_handler = on_stop_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // no SA_RESTART: a read() of the prompt is to end, too
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before {};
    ::sigaction(signal, nullptr, &before);
    if (signal == SIGHUP && before.sa_handler == SIG_IGN) continue;  // nohup
    ::sigaction(signal, &action, nullptr);
  }
  std::signal(SIGXFSZ, SIG_IGN);  // writing then fails like on a full disk, and cleans up
  struct sigaction bus_error {};
  bus_error.sa_sigaction = on_bus_error;
  bus_error.sa_flags = SA_SIGINFO;
  ::sigaction(SIGBUS, &bus_error, nullptr);
}

int stop_signal() {
  return g_stop_signal;
}

bool stop_asked() {
  return stop_signal() != 0;
}

void stop_if_asked() {
  if (stop_asked()) throw Error("stopped");
}

void keep_interrupts() {
  if (::pipe(g_wake.data()) != 0) fail_system("cannot open", "a pipe");
  for (const int fd : g_wake) {
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    ::fcntl(fd, F_SETFL, O_NONBLOCK);
  }
  struct sigaction action {};
  action.sa_handler = on_stop_signal;
  ::sigaction(SIGINT, &action, nullptr);
}

bool take_interrupt() {
  int expected = SIGINT;
  return g_stop_signal.compare_exchange_strong(expected, 0);
}

bool wait_for_input() {
  std::array<pollfd, 2> waiting = {pollfd{STDIN_FILENO, POLLIN, 0}, pollfd{g_wake[0], POLLIN, 0}};
  while (::poll(waiting.data(), waiting.size(), -1) < 0 && errno == EINTR) {
  }
  if (waiting[1].revents == 0) return true;
  std::array<char, 64> bytes;
  while (::read(g_wake[0], bytes.data(), bytes.size()) > 0) {
  }
  return false;
}

void wake_input() {
  const int before = errno;
  [[maybe_unused]] const ssize_t written = ::write(g_wake[1], "", 1);
  errno = before;
}

void write_out(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) fail_system("cannot write", "standard output");
    if (written > 0) bytes.remove_prefix(static_cast<size_t>(written));
  }
}

void check_out() {
  const int flags = ::fcntl(STDOUT_FILENO, F_GETFL);
  if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY) {
    throw Error("cannot write standard output: expected an open stream, found a closed one");
  }
}

void put_error(std::string_view text) {
  if (!text.empty()) std::fwrite(text.data(), 1, text.size(), stderr);
}

void clear_error_line() {
  put_error("\r\x1b[K");
}

bool input_is_terminal() {
  return ::isatty(STDIN_FILENO) != 0;
}
bool errors_are_on_terminal() {
  return ::isatty(STDERR_FILENO) != 0;
}

std::optional<size_t> output_columns() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return std::nullopt;
  return size.ws_col;
}

bool terminal_is_capable() {
  const char* const term = std::getenv("TERM");
  return term != nullptr && *term != '\0' && std::string_view(term) != "dumb";
}

}  // namespace gptj::apps
