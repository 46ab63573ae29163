#pragma once

#include <optional>
#include <string>

#include "terminal/log.h"

namespace gptj::apps {

/// A file or standard input, read as it comes.
class TextInput {
 public:
  /// Without a path, or with "-": standard input. Throws Error.
  explicit TextInput(const std::optional<std::string>& path);
  ~TextInput();
  TextInput(const TextInput&) = delete;
  TextInput& operator=(const TextInput&) = delete;

  /// The file's in quotes, or what standard input is called: for messages.
  const std::string& name() const { return name_; }

  /// The next line, without its newline, as soon as it is there; none: that was all. Throws Error.
  std::optional<std::string> line();

  /// All that is left. Throws Error.
  std::string all();

 private:
  bool receive();

  std::string name_;
  int fd_;
  std::string waiting_;
};

/// All bytes of a file (of "-": standard input), or of standard input. Throws Error.
std::string read_file(const std::string& path);
std::string read_standard_input();

/// Tells somebody at a terminal, where nothing else shows it, that standard input is read, if that is what `path` means.
void tell_if_typed(const std::optional<std::string>& path, const Log& log);

}  // namespace gptj::apps
