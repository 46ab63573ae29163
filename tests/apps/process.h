#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/temporary_directory.h"

namespace gptj::test {

/// How a program is started. A stream that is given as a file descriptor is used as it is and stays open
/// here.
struct Start {
  static constexpr int kPipe = -1;    // the test writes or reads it
  static constexpr int kClosed = -2;  // the program finds it closed

  std::string program = GPTJ_PROGRAM;
  std::vector<std::string> args = {};
  std::string directory = "";  // to start in; empty: that of the tests
  std::string input = "";      // written to standard input, which then ends
  int in = kPipe, out = kPipe, err = kPipe;
};

struct Finished {
  int code = -1;   // exit code, -1 if a signal killed it
  int signal = 0;  // that killed it
  std::string out, err;
};

/// A running program. Every wait is ended by a guard after two minutes, which fails the test.
class Process {
 public:
  explicit Process(const Start& start);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  /// Reads until standard error holds `text`; false if the program ends without it.
  bool wait_for_error_text(const std::string& text);
  void send(int signal) const;
  void close_input();
  Finished finish();

 private:
  bool read_some();  // false: both streams have ended

  pid_t pid_ = -1;
  int in_ = -1, out_ = -1, err_ = -1;
  Finished result_;
};

/// Starts the program and waits for its end.
Finished run(const Start& start);

/// gpt-j with these arguments.
Finished gptj(std::vector<std::string> args, std::string input = "");

/// `text` has `part` in it; if not, the test's message shows both.
::testing::AssertionResult contains(const std::string& text, const std::string& part);

/// Lines of a text, without their newlines.
std::vector<std::string> lines(const std::string& text);

/// `text` is as `pattern` says, in which '*' stands for anything, '#' for a digit, '%' for a whole number and
/// everything else for itself. (std::regex takes a minute to compile.)
::testing::AssertionResult matches(const std::string& text, const std::string& pattern);

/// One of the text's lines matches.
::testing::AssertionResult has_line(const std::string& text, const std::string& pattern);

/// The whole number that follows `before`; -1 if there is none.
int number_after(const std::string& text, const std::string& before);

inline const std::string kDemoGptJ = GPTJ_DEMO_MODELS "/gpt-j";
inline const std::string kDemoGpt2 = GPTJ_DEMO_MODELS "/gpt-2";

}  // namespace gptj::test
