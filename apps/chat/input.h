#pragma once

#include <memory>
#include <optional>
#include <string>

#include "terminal/lines.h"
#include "terminal/style.h"

namespace gptj::apps {

/// What a user says in one go: a line, several of which all but the last end in '\', or whatever stands between two
/// """, the first at the beginning of a line and the second at the end of one.
struct Message {
  std::string text;
  bool in_quotes;  // then it is no command, whatever it begins with
};

class ChatInput {
 public:
  explicit ChatInput(std::unique_ptr<Lines> lines);

  /// Nothing: the user, or a signal, ends the program. Of interrupted messages nothing remains; one that the end of the
  /// input cuts off is taken as it is.
  std::optional<Message> read(const std::string& prompt);

 private:
  /// Nothing: interrupted, or the end.
  std::optional<std::string> line(const std::string& prompt);
  std::optional<Message> quoted_lines(std::string text);
  std::optional<Message> continued_lines(std::string text);
  bool input_has_ended() const;

  const std::unique_ptr<Lines> lines_;
  const Style style_ = error_style();
  bool ended_ = false;
  bool warned_ = false;  // that another interrupt ends it
};

}  // namespace gptj::apps
