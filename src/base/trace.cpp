#include "base/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <chrono>
#include <vector>

#include "base/file.h"

namespace gptj {
namespace trace {

struct Recorder {
  struct Event {
    const char* name = nullptr;
    int thread = 0;
    int64_t begin = 0, end = 0;
  };
  explicit Recorder(size_t max_events) : events(max_events) {}

  std::vector<Event> events;
  std::atomic<size_t> n_taken{0};  // places in `events`; may exceed their number
  const int64_t begin = now();
};

int64_t now() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

void record(Recorder& to, const char* name, int64_t begin) noexcept {
  static std::atomic<int> n_threads{0};
  thread_local const int thread = n_threads++;  // in the order of their first reports
  const size_t at = to.n_taken.fetch_add(1, std::memory_order_relaxed);
  if (at < to.events.size()) to.events[at] = {name, thread, begin, now()};
}

}  // namespace trace

struct Trace::Impl {
  trace::Recorder recorder;
};

Trace::Trace(size_t max_events) : impl_(new Impl{trace::Recorder(max_events)}) {
  [[maybe_unused]] const auto* before = trace::recorder.exchange(&impl_->recorder);
  assert(before == nullptr);
}

Trace::~Trace() {
  trace::recorder.store(nullptr);
}

void Trace::write(const std::string& path) const {
  const trace::Recorder& from = impl_->recorder;
  std::string json = "{\"traceEvents\":[";
  const size_t n = std::min(from.n_taken.load(), from.events.size());
  for (size_t i = 0; i < n; ++i) {
    const auto& [name, thread, begin, end] = from.events[i];
    const auto microseconds = [](int64_t ns) { return static_cast<double>(ns) / 1000; };
    fmt::format_to(std::back_inserter(json),
                   "{}\n{{\"name\":\"{}\",\"ph\":\"X\",\"pid\":0,\"tid\":{},\"ts\":{:.3f},\"dur\":{:.3f}}}",
                   i == 0 ? "" : ",", name, thread, microseconds(begin - from.begin),
                   microseconds(end - begin));
  }
  json += "\n]}\n";
  OutputFile file(path);
  file.write(json.data(), json.size());
  file.commit();
}

}  // namespace gptj
