#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command_line.h"
#include "gptj/generate.h"
#include "gptj/session_file.h"
#include "terminal/log.h"

namespace gptj::apps {

/// --session, --session-read-only: the file in which a session is kept, if the user wants that.
class SessionOption {
 public:
  void declare(CommandLine& line, std::string_view help);
  /// Throws UsageError.
  void check(const CommandLine& line) const;

  /// Before long work: takes the file for this program. Throws Error if another one has it.
  void open();
  bool is_there() const;

  /// Makes the file's text the prompt. Throws Error if it cannot be read.
  std::vector<int> take_text();
  /// The last token of that text was drawn, and is yet to be evaluated.
  bool continues() const { return continues_; }

  /// Takes over what the file has in common with a text, or all of it. A file that cannot be used is a warning, unless the
  /// text is the file's.
  void load(Session& session, std::optional<std::span<const int>> text, const Log& log);

  /// After the text was made. Throws Error.
  void save(const Session& session, const GenerateResult& result, const Log& log) const;
  /// After a conversation: if there is anything new. Throws Error.
  void save(const Session& session, const Log& log) const;

 private:
  void write(const Session& session, std::span<const int> pending, const Log& log) const;

  std::optional<std::string> path_;
  bool read_only_ = false;
  std::optional<SessionLock> lock_;
  std::vector<int> held_;  // tokens that came from the file
  bool is_text_ = false;   // the prompt is the file's text
  bool continues_ = false;
};

}  // namespace gptj::apps
