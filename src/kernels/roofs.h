#pragma once

#include <cstdint>

#include "base/arena.h"
#include "base/thread_pool.h"
#include "kernels/kernels.h"

/// The limits of this machine, beside which every other figure stands, with the threads of a pool.
namespace gptj {

/// How fast memory is read: weights pass through it once for each token.
class ReadRoof {
 public:
  /// Fills `bytes` of memory: as much as what stands beside it, or far more than the caches hold. Throws Error when
  /// there are none.
  ReadRoof(ThreadPool& pool, int64_t bytes);

  /// All of them once, all threads together; returns the bytes.
  int64_t read(const Kernels& kernels);

 private:
  ThreadPool& pool_;
  const int64_t bytes_;
  Arena arena_;
  uint8_t* data_;
};

/// Runs one of Kernels' roofs for `repeats` on every thread; returns the operations of all.
int64_t run_roof(ThreadPool& pool, int64_t (*roof)(int64_t repeats) noexcept, int64_t repeats);

}  // namespace gptj
