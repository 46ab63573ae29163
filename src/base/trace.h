#pragma once

#include <atomic>
#include <cstdint>

#include "gptj/trace.h"

/// How the library reports to a Trace.
namespace gptj::trace {

struct Recorder;
inline std::atomic<Recorder*> recorder{nullptr};

int64_t now();  // nanoseconds
void record(Recorder& to, const char* name, int64_t begin) noexcept;

/// Reports that this thread does `name`, a string literal, until the end of the block.
class Scope {
 public:
  explicit Scope(const char* name) noexcept
      : to_(recorder.load(std::memory_order_acquire)), name_(name), begin_(to_ != nullptr ? now() : 0) {}
  ~Scope() {
    if (to_ != nullptr) record(*to_, name_, begin_);
  }
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  Recorder* const to_;
  const char* const name_;
  const int64_t begin_;
};

}  // namespace gptj::trace
