#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "gptj/generate.h"
#include "gptj/session_file.h"
#include "terminal/log.h"

namespace gptj::apps {

/// --session, --session-read-only: a conversation that is kept in a file, if the user wants that.
class SessionOption {
 public:
  void declare(CommandLine& line);
  /// Throws UsageError.
  void check(const CommandLine& line) const;

  /// Before long work: takes the file for this program. Throws Error if another one has it.
  void open();
  bool is_there() const;

  /// Makes the file's text the prompt. Throws Error if it cannot be read.
  std::vector<int> take_text();
  /// The last token of that text was drawn, and is yet to be evaluated.
  bool continues() const { return continues_; }

  /// Takes over what the file has in common with the prompt. A file that cannot be used is a warning, unless the prompt is
  /// its text.
  void load(Session& session, const std::vector<int>& prompt, const Log& log) const;

  /// After the text was made. Throws Error.
  void save(const Session& session, const GenerateResult& result, const Log& log) const;

 private:
  std::optional<std::string> path_;
  bool read_only_ = false;
  std::optional<SessionLock> lock_;
  bool is_text_ = false;  // the prompt is the file's text
  bool continues_ = false;
};

}  // namespace gptj::apps
