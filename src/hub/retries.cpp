#include "hub/retries.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/error.h"

namespace gptj {

Retries::Retries(const HubSettings& hub, std::function<void()> check_stop,
                 std::function<void(const std::string&)> notice)
    : hub_(hub), check_stop_(std::move(check_stop)), notice_(std::move(notice)) {}

void Retries::wait(const std::string& what, int64_t retry_after_seconds) {
  using Clock = std::chrono::steady_clock;
  using std::chrono::milliseconds;
  constexpr int kMaxDoublings = 6;
  constexpr milliseconds kCheck{50};

  if (++n_failures_ >= hub_.n_attempts) fail("{}; tried {} times, try again later", what, hub_.n_attempts);
  if (retry_after_seconds > hub_.max_retry_after_seconds) {
    fail("{}; the server asks to come again in {} s", what, retry_after_seconds);
  }
  const int64_t doubled = int64_t{hub_.retry_ms} << std::min(n_failures_ - 1, kMaxDoublings);
  const milliseconds delay{std::max(doubled, 1000 * retry_after_seconds)};
  if (notice_) notice_(fmt::format("{}; again in {:.1f} s", what, static_cast<double>(delay.count()) / 1000));
  for (const auto end = Clock::now() + delay; Clock::now() < end;) {
    check_stop_();
    std::this_thread::sleep_for(std::min<Clock::duration>(kCheck, end - Clock::now()));
  }
}

}  // namespace gptj
