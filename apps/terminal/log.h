#pragma once

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "terminal/console.h"

namespace gptj::apps {

/// Milliseconds since it was made.
class Stopwatch {
 public:
  double ms() const;

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// What is said on standard error beside errors, as far as the user wants it.
class Log {
 public:
  enum class Level { quiet, normal, verbose };

  explicit Log(Level level) : level_(level) {}

  bool quiet() const { return level_ == Level::quiet; }
  bool verbose() const { return level_ == Level::verbose; }

  /// One line.
  template <typename... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) const {
    if (!quiet()) put_error(fmt::format(format, std::forward<Args>(args)...) + "\n");
  }

 private:
  Level level_;
};

/// One line on standard error for something that takes long. On a terminal, once it has taken a moment, a bar
/// redrawn in place; what stays, there and in log files, is "<prefix>: ........ done".
class ProgressLine {
 public:
  ProgressLine(std::string prefix, const Log& log);
  ~ProgressLine();  // ends a line that is not done
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  /// `note` is shown beside the bar.
  void update(uint64_t done, uint64_t total, std::string_view note = "");
  void done();
  /// Makes way for a line of text. A later update() begins anew.
  void interrupt();

 private:
  void draw_bar(double fraction, std::string_view note);
  void draw_dots(int wanted);

  std::string prefix_;
  bool shown_;
  bool bar_;
  bool bar_drawn_ = false;
  int dots_ = -1;  // -1: not even the prefix
  Stopwatch since_start_;
  double last_draw_ms_ = 0;
};

}  // namespace gptj::apps
