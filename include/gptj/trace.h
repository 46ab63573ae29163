#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace gptj {

/// While it lives, it records what each thread does when, until its room is full. There may be one at a time. Without
/// one, nothing is recorded, which costs one load for each piece of work.
class Trace {
 public:
  explicit Trace(size_t max_events = size_t{1} << 19);
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;
  ~Trace();

  /// Writes what has been recorded so far as JSON for chrome://tracing and ui.perfetto.dev. Throws Error if it cannot
  /// be written.
  void write(const std::string& path) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gptj
