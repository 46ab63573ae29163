#include "terminal.h"

#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <system_error>

namespace gptj::test {
namespace {

constexpr int kGuardMs = 120'000;

}  // namespace

Terminal::Terminal(std::vector<std::string> args, std::map<std::string, std::string> environment,
                   int columns) {
  environment.insert({{"TERM", "xterm"}, {"NO_COLOR", "1"}, {"GPTJ_HISTORY", ""}});
  std::string program = GPTJ_PROGRAM;
  std::vector<char*> argv = {program.data()};
  for (std::string& arg : args) argv.push_back(arg.data());
  argv.push_back(nullptr);
  winsize size = {
      .ws_row = 50, .ws_col = static_cast<unsigned short>(columns), .ws_xpixel = 0, .ws_ypixel = 0};
  pid_ = ::forkpty(&fd_, nullptr, nullptr, &size);
  if (pid_ < 0) throw std::system_error(errno, std::system_category(), "forkpty");
  if (pid_ == 0) {
    for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
}

Terminal::~Terminal() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ::close(fd_);
}

void Terminal::type(const std::string& keys) const {
  if (::write(fd_, keys.data(), keys.size()) != static_cast<ssize_t>(keys.size())) {
    throw std::system_error(errno, std::system_category(), "write");
  }
}

bool Terminal::read_some() {
  pollfd waiting{fd_, POLLIN, 0};
  if (::poll(&waiting, 1, kGuardMs) <= 0) throw std::runtime_error("the program hangs after: " + shown_);
  std::array<char, 4096> piece;
  const ssize_t got = ::read(fd_, piece.data(), piece.size());
  if (got <= 0) return false;  // EIO: Linux's way to say that nobody has the terminal open
  std::remove_copy(piece.data(), piece.data() + got, std::back_inserter(shown_), '\r');
  return true;
}

std::string Terminal::wait_for(const std::string& text) {
  const size_t from = seen_;
  size_t found;
  while ((found = shown_.find(text, from)) == std::string::npos) {
    if (!read_some())
      throw std::runtime_error("expected '" + text + "', found the end after: " + shown_.substr(from));
  }
  seen_ = found + text.size();
  return shown_.substr(from, seen_ - from);
}

void Terminal::wait_for_bytes(size_t n) {
  while (shown_.size() < seen_ + n) {
    if (!read_some()) throw std::runtime_error("found the end after: " + shown_);
  }
  seen_ = shown_.size();
}

void Terminal::send(int signal) const {
  ::kill(pid_, signal);
}

Finished Terminal::finish() {
  while (read_some()) {
  }
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  Finished result;
  if (WIFEXITED(status)) result.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  result.out = shown_;
  return result;
}

}  // namespace gptj::test
