#include "terminal/lines.h"

#include <unistd.h>

#include <array>
#include <cerrno>

#include "terminal/console.h"
#include "terminal/line_editor.h"

namespace gptj::apps {
namespace {

/// Lines of a pipe or a file, or of a terminal that has no more than what the system itself does.
class PlainLines : public Lines {
 public:
  Line read(const std::string& prompt) override {
    if (input_is_terminal()) put_error(prompt);
    for (;;) {
      if (const size_t newline = waiting_.find('\n'); newline != waiting_.npos) return take(newline);
      if (!receive()) break;
    }
    if (input_is_terminal() && take_interrupt()) return {Line::What::interrupted, ""};
    if (stop_asked() || waiting_.empty()) return {Line::What::end, ""};
    return take(waiting_.size());
  }

 private:
  /// False: there is no more.
  bool receive() {
    std::array<char, 4096> piece;
    if (!wait_for_input()) return !stop_asked();
    const ssize_t got = ::read(STDIN_FILENO, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) return true;
    if (got < 0) fail_system("cannot read", "standard input");
    waiting_.append(piece.data(), static_cast<size_t>(got));
    return got > 0;
  }

  Line take(size_t end) {
    Line line = {Line::What::text, waiting_.substr(0, end)};
    if (line.text.ends_with('\r')) line.text.pop_back();
    waiting_.erase(0, end + 1);
    return line;
  }

  std::string waiting_;
};

}  // namespace

std::unique_ptr<Lines> open_lines(const Completions& completions, const Log& log) {
  if (input_is_terminal() && errors_are_on_terminal() && terminal_is_capable()) {
    return open_line_editor(completions, log);
  }
  return std::make_unique<PlainLines>();
}

}  // namespace gptj::apps
