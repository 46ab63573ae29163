#include "process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <system_error>

namespace gptj::test {
namespace {

constexpr int kGuardMs = 120'000;

[[noreturn]] void fail_system(const char* what) {
  throw std::system_error(errno, std::system_category(), what);
}

/// The two ends of a stream between the test and the program.
struct Ends {
  int ours = -1, theirs = -1;
};

Ends stream(int wanted, bool we_write) {
  if (wanted != Start::kPipe) return {-1, wanted};
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) fail_system("pipe");
  return we_write ? Ends{pipe[1], pipe[0]} : Ends{pipe[0], pipe[1]};
}

void close_if_open(int& fd) {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

/// In the child: stream number `fd` becomes `theirs`, which is above all standard streams.
void place(int theirs, int fd) {
  if (theirs == Start::kClosed) {
    ::close(fd);
  } else {
    ::dup2(theirs, fd);
  }
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool fits(std::string_view text, std::string_view pattern) {
  if (pattern.empty()) return text.empty();
  const char wanted = pattern.front();
  pattern.remove_prefix(1);
  if (wanted == '*' || wanted == '%') {
    for (size_t n = wanted == '*' ? 0 : 1; n <= text.size(); ++n) {
      if (wanted == '%' && !is_digit(text[n - 1])) return false;
      if (fits(text.substr(n), pattern)) return true;
    }
    return false;
  }
  if (text.empty() || !(wanted == '#' ? is_digit(text.front()) : text.front() == wanted)) return false;
  return fits(text.substr(1), pattern);
}

}  // namespace

Process::Process(const Start& start) {
  Ends in = stream(start.in, true), out = stream(start.out, false), err = stream(start.err, false);
  std::vector<char*> argv = {const_cast<char*>(start.program.c_str())};
  for (const std::string& arg : start.args) argv.push_back(const_cast<char*>(arg.c_str()));
  argv.push_back(nullptr);

  pid_ = ::fork();
  if (pid_ < 0) fail_system("fork");
  if (pid_ == 0) {
    if (!start.directory.empty() && ::chdir(start.directory.c_str()) != 0) ::_exit(126);
    place(in.theirs, STDIN_FILENO);
    place(out.theirs, STDOUT_FILENO);
    place(err.theirs, STDERR_FILENO);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  in_ = in.ours, out_ = out.ours, err_ = err.ours;
  if (start.in == Start::kPipe) ::close(in.theirs);
  if (start.out == Start::kPipe) ::close(out.theirs);
  if (start.err == Start::kPipe) ::close(err.theirs);

  if (in_ >= 0 && !start.input.empty()) {  // what a test writes fits a pipe's buffer
    const ssize_t written = ::write(in_, start.input.data(), start.input.size());
    if (written != static_cast<ssize_t>(start.input.size())) fail_system("write");
  }
}

Process::~Process() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  close_if_open(in_);
  close_if_open(out_);
  close_if_open(err_);
}

bool Process::read_some() {
  std::array<pollfd, 2> waiting = {pollfd{out_, POLLIN, 0}, pollfd{err_, POLLIN, 0}};
  if (out_ < 0 && err_ < 0) return false;
  if (::poll(waiting.data(), waiting.size(), kGuardMs) <= 0) throw std::runtime_error("the program hangs");
  const auto take = [](const pollfd& from, int& fd, std::string& text) {
    if (fd < 0 || from.revents == 0) return;
    std::array<char, 4096> piece;
    const ssize_t got = ::read(fd, piece.data(), piece.size());
    if (got > 0) text.append(piece.data(), static_cast<size_t>(got));
    if (got <= 0) close_if_open(fd);
  };
  take(waiting[0], out_, result_.out);
  take(waiting[1], err_, result_.err);
  return true;
}

bool Process::wait_for_error_text(const std::string& text) {
  while (result_.err.find(text) == std::string::npos) {
    if (!read_some()) return false;
  }
  return true;
}

void Process::send(int signal) const {
  ::kill(pid_, signal);
}

void Process::close_input() {
  close_if_open(in_);
}

Finished Process::finish() {
  close_input();
  while (read_some()) {
  }
  int status = 0;
  if (::waitpid(pid_, &status, 0) != pid_) fail_system("waitpid");
  pid_ = -1;
  if (WIFEXITED(status)) result_.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result_.signal = WTERMSIG(status);
  return std::move(result_);
}

Finished run(const Start& start) {
  return Process(start).finish();
}

Finished gptj(std::vector<std::string> args, std::string input) {
  Start start;
  start.args = std::move(args);
  start.input = std::move(input);
  return run(start);
}

::testing::AssertionResult contains(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "expected '" << part << "' in:\n" << text;
}

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

::testing::AssertionResult matches(const std::string& text, const std::string& pattern) {
  if (fits(text, pattern)) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "expected '" << pattern << "', found:\n" << text;
}

::testing::AssertionResult has_line(const std::string& text, const std::string& pattern) {
  for (const std::string& line : lines(text)) {
    if (fits(line, pattern)) return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure() << "expected a line '" << pattern << "' in:\n" << text;
}

int number_after(const std::string& text, const std::string& before) {
  int number = -1;
  const size_t found = text.find(before);
  if (found != std::string::npos) {
    std::from_chars(text.data() + found + before.size(), text.data() + text.size(), number);
  }
  return number;
}

}  // namespace gptj::test
