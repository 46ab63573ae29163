#pragma once

#include <map>
#include <string>
#include <vector>

#include "process.h"

namespace gptj::test {

/// gpt-j on a terminal of its own, with somebody who types. Every wait is ended by a guard after two minutes.
class Terminal {
 public:
  /// `environment` changes that of the tests; without colours and history unless it says so.
  explicit Terminal(std::vector<std::string> args, std::map<std::string, std::string> environment = {},
                    int columns = 200);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  void type(const std::string& keys) const;

  /// What the terminal shows up to the next `text`, with it; each is found once. Newlines are as in a file.
  std::string wait_for(const std::string& text);

  /// Waits until so many bytes more have been shown.
  void wait_for_bytes(size_t n);

  void send(int signal) const;
  Finished finish();  // waits for the end; all that was shown is in `out`

 private:
  bool read_some();  // false: the program has closed the terminal

  pid_t pid_ = -1;
  int fd_ = -1;
  std::string shown_;
  size_t seen_ = 0;
};

}  // namespace gptj::test
