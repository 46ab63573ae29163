// Plain, unguarded data on purpose: the thread sanitizer sees what the pool does not order.

#include "base/thread_pool.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <set>

#include "base/failure.h"
#include "base/platform.h"

namespace gptj {
namespace {

using namespace std::chrono_literals;

/// Waits until `ready()`; false after a time that no test takes.
template <typename Ready>
bool wait_until(const Ready& ready) {
  for (const auto end = std::chrono::steady_clock::now() + 60s; std::chrono::steady_clock::now() < end;) {
    if (ready()) return true;
    std::this_thread::sleep_for(1ms);
  }
  return false;
}

void expect_covers(ThreadPool& pool, int64_t n, int64_t grain) {
  SCOPED_TRACE(testing::Message() << pool.n_threads() << " threads, n " << n << ", grain " << grain);
  std::vector<int> times(static_cast<size_t>(n));
  std::atomic<bool> in_bounds{true};
  pool.parallel_for(n, grain, [&](int64_t begin, int64_t end, int thread) {
    if (begin < 0 || end > n || begin >= end || end - begin > grain || thread < 0 ||
        thread >= pool.n_threads()) {
      in_bounds = false;
      return;
    }
    for (int64_t i = begin; i < end; ++i) ++times[static_cast<size_t>(i)];
  });
  EXPECT_TRUE(in_bounds);
  EXPECT_EQ(std::count(times.begin(), times.end(), 1), n);
}

TEST(ThreadPool, EveryIndexExactlyOnce) {
  for (const int n_threads : {1, 2, 3, 5, 8, 4 * platform::physical_cores() + 1}) {
    ThreadPool pool(n_threads);
    ASSERT_EQ(pool.n_threads(), n_threads);
    for (const int64_t n : {0, 1, 2, 3, 15, 16, 17, 64, 1000}) {
      for (const int64_t grain : {1, 2, 7, 64, 5000}) expect_covers(pool, n, grain);
    }
  }
}

TEST(ThreadPool, FewerThanOneThreadIsTheCaller) {
  for (const int n_threads : {0, -1}) {
    ThreadPool pool(n_threads);
    EXPECT_EQ(pool.n_threads(), 1);
    expect_covers(pool, 10, 3);
  }
}

TEST(ThreadPool, ManyLoopsInARowSeeEachOthersResults) {
  constexpr int64_t kN = 40;
  constexpr int kLoops = 1000;
  for (const int n_threads : {2, 3, 7}) {
    ThreadPool pool(n_threads);
    std::vector<int64_t> from(kN), to(kN);
    std::iota(from.begin(), from.end(), 0);
    for (int loop = 0; loop < kLoops; ++loop) {  // each value moves on by one place: read where another wrote
      pool.parallel_for(kN, 1 + loop % 3, [&](int64_t begin, int64_t end, int) {
        for (int64_t i = begin; i < end; ++i)
          to[static_cast<size_t>((i + 1) % kN)] = from[static_cast<size_t>(i)] + 1;
      });
      std::swap(from, to);
    }
    for (int64_t i = 0; i < kN; ++i) {
      EXPECT_EQ(from[static_cast<size_t>((i + kLoops) % kN)], i + kLoops);
    }
  }
}

TEST(ThreadPool, SleepingWorkersWakeAndEnd) {
  for (int round = 0; round < 5; ++round) {
    ThreadPool pool(4);
    expect_covers(pool, 100, 1);
    std::this_thread::sleep_for(20ms);  // long enough for all to fall asleep
    expect_covers(pool, 100, 1);
    std::this_thread::sleep_for(20ms);
  }
}

TEST(ThreadPool, MayEndBeforeItsWorkersHaveBegun) {
  for (int round = 0; round < 50; ++round) ThreadPool pool(4);
}

#if defined(__GLIBC__) && !defined(GPTJ_EMULATED)
/// While it lives, threads get stacks of so many bytes of address space that only some can start.
class LargeStacks {
 public:
  LargeStacks() {
    ::pthread_getattr_default_np(&before_);
    pthread_attr_t large;
    ::pthread_getattr_default_np(&large);
    ::pthread_attr_setstacksize(&large, size_t{1} << 42);
    ::pthread_setattr_default_np(&large);
    ::pthread_attr_destroy(&large);
  }
  ~LargeStacks() {
    ::pthread_setattr_default_np(&before_);
    ::pthread_attr_destroy(&before_);
  }
  LargeStacks(const LargeStacks&) = delete;
  LargeStacks& operator=(const LargeStacks&) = delete;

 private:
  pthread_attr_t before_;
};

TEST(ThreadPool, ThreadsThatCannotStartAreAnError) {
  const LargeStacks stacks;
  test::expect_error([] { ThreadPool pool(1000); }, {"threads: cannot start 1000", "use fewer"});
}
#endif

TEST(ThreadPool, AllThreadsWorkAtOnce) {
  constexpr int kThreads = 4;
  ThreadPool pool(kThreads);
  std::atomic<int> inside{0};
  std::atomic<bool> met{true};
  int at[kThreads] = {};
  pool.parallel_for(kThreads, 1, [&](int64_t begin, int64_t, int thread) {
    ++inside;
    if (!wait_until([&] { return inside == kThreads; })) met = false;
    at[begin] = thread;
  });
  EXPECT_TRUE(met);
  EXPECT_EQ(std::set<int>(at, at + kThreads).size(), 4U) << "two pieces had the same thread number at once";
}

TEST(ThreadPool, OthersDoTheWorkOfASlowThread) {
  constexpr int64_t kN = 64;
  for (const int64_t slow : {int64_t{0}, kN / 2, kN - 1}) {
    ThreadPool pool(2);
    std::atomic<int64_t> done{0};
    std::atomic<bool> helped{true};
    pool.parallel_for(kN, 1, [&](int64_t begin, int64_t, int) {
      if (begin == slow && !wait_until([&] { return done == kN - 1; })) helped = false;
      ++done;
    });
    EXPECT_TRUE(helped) << "piece " << slow << " waited in vain for the other pieces";
    EXPECT_EQ(done, kN);
  }
}

TEST(ThreadPool, PoolsSideBySide) {
  std::vector<std::thread> callers;
  std::vector<int64_t> sums(3);
  for (int64_t& sum : sums) {
    callers.emplace_back([&sum] {
      ThreadPool pool(3);
      std::vector<int64_t> part(3);
      for (int loop = 0; loop < 200; ++loop) {
        pool.parallel_for(
            50, 1, [&](int64_t begin, int64_t, int thread) { part[static_cast<size_t>(thread)] += begin; });
      }
      sum = std::accumulate(part.begin(), part.end(), int64_t{0});
    });
  }
  for (std::thread& caller : callers) caller.join();
  for (const int64_t sum : sums) EXPECT_EQ(sum, 200 * 50 * 49 / 2);
}

}  // namespace
}  // namespace gptj
