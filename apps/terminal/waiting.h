#pragma once

#include "terminal/log.h"

namespace gptj::apps {

/// Says on a terminal how long the user has waited, while nothing else is written: a line that makes way for others.
class Waiting {
 public:
  explicit Waiting(const Log& log) : shown_(!log.quiet() && errors_are_on_terminal()) {}
  ~Waiting() { make_way(); }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  /// stop_asked(), for callbacks such as `cancelled`, which are called now and then.
  bool stop_asked();

  /// Before something else is written.
  void make_way();

 private:
  const bool shown_;
  bool drawn_ = false;
  Stopwatch since_start_;
  double last_draw_ms_ = 0;
};

}  // namespace gptj::apps
