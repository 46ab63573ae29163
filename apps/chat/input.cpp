#include "chat/input.h"

#include <fmt/format.h>

#include <utility>

#include "terminal/console.h"

namespace gptj::apps {
namespace {

constexpr std::string_view kQuotes = R"(""")";
constexpr const char* kContinuation = "... ";

}  // namespace

ChatInput::ChatInput(std::unique_ptr<Lines> lines) : lines_(std::move(lines)) {}

std::optional<std::string> ChatInput::line(const std::string& prompt) {
  using What = Lines::Line::What;
  Lines::Line line = lines_->read(prompt);
  if (line.what == What::text) {
    warned_ = false;
    return line.text;
  }
  if (line.what == What::interrupted && !line.text.empty()) {
    warned_ = false;
  } else if (line.what == What::interrupted && !warned_ && input_is_terminal()) {
    warned_ = true;
    put_error(fmt::format("{}Ctrl-C again, Ctrl-D or /exit ends the program{}\n", style_.note, style_.end));
  } else {
    ended_ = true;
  }
  return std::nullopt;
}

bool ChatInput::input_has_ended() const {
  return ended_ && !stop_asked();
}

std::optional<Message> ChatInput::read(const std::string& prompt) {
  while (!ended_) {
    std::optional<std::string> first = line(prompt);
    if (!first) continue;
    std::optional<Message> message = first->starts_with(kQuotes) ? quoted_lines(first->substr(kQuotes.size()))
                                                                 : continued_lines(*std::move(first));
    if (message) return message;
  }
  return std::nullopt;
}

std::optional<Message> ChatInput::quoted_lines(std::string text) {
  while (!text.ends_with(kQuotes)) {
    const std::optional<std::string> next = line(kContinuation);
    if (!next && input_has_ended()) return Message{text, true};
    if (!next) return std::nullopt;
    text += (text.empty() ? "" : "\n") + *next;
  }
  text.resize(text.size() - kQuotes.size());
  if (text.ends_with('\n')) text.pop_back();
  return Message{text, true};
}

std::optional<Message> ChatInput::continued_lines(std::string text) {
  while (text.ends_with('\\')) {
    text.back() = '\n';
    const std::optional<std::string> next = line(kContinuation);
    if (!next && input_has_ended()) break;
    if (!next) return std::nullopt;
    text += *next;
  }
  return Message{text, false};
}

}  // namespace gptj::apps
