#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace gptj {

/// Worker threads for loops whose pieces are independent. parallel_for() is called by one thread at a time; the
/// calling thread works too, so `n_threads` counts it.
///
/// Each thread walks its own contiguous share of the range, which keeps memory streams long; one that is done helps
/// the others, so a thread that the system has suspended delays no more than its piece. Workers wait for the next
/// loop by spinning for a moment, then sleep: loops follow each other closely during a token, but a pool that only
/// spins collapses on a shared machine.
class ThreadPool {
 public:
  /// Throws Error if the system does not start that many threads. With `pinned` each stays on a core of its own while
  /// there are enough of them, from now on the calling thread, too.
  explicit ThreadPool(int n_threads, bool pinned = false);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int n_threads() const { return static_cast<int>(workers_.size()) + 1; }

  /// Calls body(begin, end, thread) for pieces of at most `grain` that cover [0, n) exactly once;
  /// 0 <= thread < n_threads(). `body` must not throw. Allocates nothing.
  template <typename Body>
  void parallel_for(int64_t n, int64_t grain, const Body& body) noexcept {
    run(n, grain, &body, [](const void* context, int64_t begin, int64_t end, int thread) {
      (*static_cast<const Body*>(context))(begin, end, thread);
    });
  }

 private:
  using Call = void (*)(const void* context, int64_t begin, int64_t end, int thread);

  struct alignas(64) Share {  // one thread's part of the range, from which any thread takes pieces
    std::atomic<int64_t> next{0};
    int64_t end = 0;
  };

  static constexpr uint32_t kClosed = uint32_t{1} << 31;

  void run(int64_t n, int64_t grain, const void* context, Call call) noexcept;
  void stop() noexcept;
  bool enter() noexcept;
  void work(int thread) noexcept;
  void worker_main(int thread, bool pinned) noexcept;

  std::vector<std::thread> workers_;
  std::unique_ptr<Share[]> shares_;
  const void* context_ = nullptr;
  Call call_ = nullptr;
  int64_t grain_ = 1;
  std::atomic<bool> stopping_{false};
  alignas(64) std::atomic<uint32_t> generation_{0};  // counts loops; workers wait for its change
  // The number of workers inside the loop, and whether others may still enter. A worker that wakes up after all is done
  // finds the gate closed, and nobody has waited for it.
  alignas(64) std::atomic<uint32_t> gate_{kClosed};
};

}  // namespace gptj
