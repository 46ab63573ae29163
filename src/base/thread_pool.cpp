#include "base/thread_pool.h"

#include <algorithm>
#include <system_error>

#include "base/error.h"
#include "base/platform.h"

namespace gptj {
namespace {

// Longer than the serial gap between two loops of a token, shorter than a time slice: tens of microseconds on
// CPUs whose pause takes some 10 ns, about 150 where it takes 40 (Intel since Skylake).
constexpr int kSpins = 4000;

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Waits until `value` is no longer `old`; returns the new value.
template <typename T>
T wait_for_change(const std::atomic<T>& value, T old) {
  for (int i = 0; i < kSpins; ++i) {
    const T now = value.load(std::memory_order_acquire);
    if (now != old) return now;
    relax();
  }
  value.wait(old, std::memory_order_acquire);
  return value.load(std::memory_order_acquire);
}

}  // namespace

ThreadPool::ThreadPool(int n_threads, bool pinned)
    : shares_(std::make_unique<Share[]>(static_cast<size_t>(std::max(1, n_threads)))) {
  if (pinned) platform::pin_to_core(0);
  workers_.reserve(static_cast<size_t>(std::max(0, n_threads - 1)));
  for (int thread = 1; thread < n_threads; ++thread) {
    try {
      workers_.emplace_back([this, thread, pinned] { worker_main(thread, pinned); });
    } catch (const std::system_error& error) {
      stop();
      fail("threads: cannot start {}: {}; use fewer", n_threads, error.code().message());
    }
  }
}

ThreadPool::~ThreadPool() {
  stop();
}

void ThreadPool::stop() noexcept {
  stopping_.store(true, std::memory_order_relaxed);
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::run(int64_t n, int64_t grain, const void* context, Call call) noexcept {
  const int threads = n_threads();
  if (threads == 1 || n <= grain) {
    for (int64_t begin = 0; begin < n; begin += grain) call(context, begin, std::min(n, begin + grain), 0);
    return;
  }
  context_ = context;
  call_ = call;
  grain_ = grain;
  for (int t = 0; t < threads; ++t) {
    shares_[static_cast<size_t>(t)].next.store(n * t / threads, std::memory_order_relaxed);
    shares_[static_cast<size_t>(t)].end = n * (t + 1) / threads;
  }
  gate_.store(0, std::memory_order_release);
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
  work(0);
  uint32_t inside = gate_.fetch_or(kClosed, std::memory_order_acq_rel) | kClosed;
  while (inside != kClosed) inside = wait_for_change(gate_, inside);
}

bool ThreadPool::enter() noexcept {
  uint32_t inside = gate_.load(std::memory_order_relaxed);
  while ((inside & kClosed) == 0) {
    if (gate_.compare_exchange_weak(inside, inside + 1, std::memory_order_acquire)) return true;
  }
  return false;
}

void ThreadPool::work(int thread) noexcept {
  const int threads = n_threads();
  for (int i = 0; i < threads; ++i) {
    Share& share = shares_[static_cast<size_t>((thread + i) % threads)];
    while (share.next.load(std::memory_order_relaxed) < share.end) {
      const int64_t begin = share.next.fetch_add(grain_, std::memory_order_relaxed);
      if (begin >= share.end) break;
      call_(context_, begin, std::min(share.end, begin + grain_), thread);
    }
  }
}

void ThreadPool::worker_main(int thread, bool pinned) noexcept {
  if (pinned) platform::pin_to_core(thread);
  uint32_t seen = 0;
  for (;;) {
    seen = wait_for_change(generation_, seen);
    if (stopping_.load(std::memory_order_relaxed)) return;
    if (!enter()) continue;
    work(thread);
    if (gate_.fetch_sub(1, std::memory_order_acq_rel) == (kClosed | 1)) gate_.notify_one();
  }
}

}  // namespace gptj
