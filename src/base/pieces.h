#pragma once

#include <atomic>
#include <exception>
#include <mutex>

#include "base/thread_pool.h"

namespace gptj {

/// Calls work(piece, thread) for each piece in [0, n) on all threads of the pool, which take pieces in order. Unlike
/// the body of parallel_for(), `work` may throw: then no further piece is begun, and the first exception leaves this
/// function.
template <typename Work>
void run_pieces(ThreadPool& pool, size_t n, const Work& work) {
  std::atomic<size_t> next{0};
  std::atomic<bool> stop{false};
  std::mutex mutex;
  std::exception_ptr error;
  pool.parallel_for(pool.n_threads(), 1, [&](int64_t, int64_t, int thread) {
    try {
      for (size_t piece; !stop && (piece = next++) < n;) work(piece, thread);
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!error) error = std::current_exception();
      stop = true;
    }
  });
  if (error) std::rethrow_exception(error);
}

}  // namespace gptj
