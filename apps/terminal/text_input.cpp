#include "terminal/text_input.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "base/quoted.h"
#include "gptj/error.h"
#include "terminal/console.h"

namespace gptj::apps {
namespace {

constexpr size_t kMaxText = size_t{1} << 30;  // a text beyond this is a mistake such as -f /dev/zero

bool is_standard_input(const std::optional<std::string>& path) {
  return !path || *path == "-";
}

}  // namespace

TextInput::TextInput(const std::optional<std::string>& path)
    : name_(is_standard_input(path) ? "standard input" : quoted(*path)),
      fd_(is_standard_input(path) ? STDIN_FILENO : ::open(path->c_str(), O_RDONLY | O_CLOEXEC)) {
  if (fd_ < 0) fail_system("cannot open", name_);
}

TextInput::~TextInput() {
  if (fd_ != STDIN_FILENO) ::close(fd_);
}

/// False: there is no more.
bool TextInput::receive() {
  std::array<char, size_t{1} << 16> piece;
  for (;;) {
    const ssize_t got = ::read(fd_, piece.data(), piece.size());
    if (got < 0 && errno == EINTR && !stop_asked()) continue;
    if (got < 0) fail_system("cannot read", name_);
    waiting_.append(piece.data(), static_cast<size_t>(got));
    if (waiting_.size() > kMaxText) {
      throw Error(fmt::format("cannot read {}: expected at most {} bytes of text", name_, kMaxText));
    }
    return got > 0;
  }
}

std::optional<std::string> TextInput::line() {
  size_t seen = 0, end;
  while ((end = waiting_.find('\n', seen)) == waiting_.npos) {
    seen = waiting_.size();
    if (receive()) continue;
    if (waiting_.empty()) return std::nullopt;
    return std::exchange(waiting_, {});
  }
  std::string line = waiting_.substr(0, end);
  waiting_.erase(0, end + 1);
  return line;
}

std::string TextInput::all() {
  while (receive()) {
  }
  return std::exchange(waiting_, {});
}

std::string read_file(const std::string& path) {
  return TextInput(path).all();
}

std::string read_standard_input() {
  return TextInput(std::nullopt).all();
}

void tell_if_typed(const std::optional<std::string>& path, const Log& log) {
  if (is_standard_input(path) && input_is_terminal())
    log.line("main: reading from the terminal, up to Ctrl-D on a line of its own");
}

}  // namespace gptj::apps
