#include "terminal/rate.h"

#include <algorithm>
#include <cmath>

namespace gptj::apps {
namespace {

constexpr double kMeasureMs = 2000;
constexpr double kOlder = 0.5;  // weight of what was measured before

}  // namespace

std::string TransferNote::update(uint64_t done, uint64_t total) {
  const double now = since_start_.ms();
  if (begin_ms_ < 0) begin_ms_ = now, begin_done_ = done;  // what was there before is not counted
  if (now - begin_ms_ >= kMeasureMs) {
    const double measured =
        static_cast<double>(done - std::min(done, begin_done_)) * 1000 / (now - begin_ms_);
    rate_ = rate_ == 0 ? measured : kOlder * rate_ + (1 - kOlder) * measured;
    begin_ms_ = now, begin_done_ = done;
  }
  std::string note = fmt::format("{} of {}", bytes_text(done), bytes_text(total));
  if (rate_ > 0) {
    const double left = static_cast<double>(total - std::min(total, done)) / rate_;
    note += fmt::format(", {}/s, {} left", bytes_text(static_cast<uint64_t>(rate_)), clock_text(left));
  }
  return note;
}

std::string bytes_text(uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  for (; value >= 1000 && unit + 1 < std::size(kUnits); ++unit) value /= 1000;
  return fmt::format("{:.{}f} {}", value, unit == 0 ? 0 : unit < 3 ? 1 : 2, kUnits[unit]);
}

std::string clock_text(double seconds) {
  constexpr double kMost = 360'000;
  const auto whole = static_cast<int>(std::min(std::ceil(seconds), kMost));
  const int hours = whole / 3600, minutes = whole / 60 % 60, rest = whole % 60;
  return hours > 0 ? fmt::format("{}:{:02}:{:02}", hours, minutes, rest)
                   : fmt::format("{}:{:02}", minutes, rest);
}

}  // namespace gptj::apps
