#include "kernels/roofs.h"

#include <atomic>

namespace gptj {
namespace {

constexpr int64_t kPiece = 1 << 20;  // bytes

}  // namespace

ReadRoof::ReadRoof(ThreadPool& pool, int64_t bytes)
    : pool_(pool),
      bytes_(bytes / kPiece * kPiece),
      arena_(static_cast<size_t>(bytes_), "measuring how fast memory is read"),
      data_(arena_.take<uint8_t>(bytes_)) {
  pool_.parallel_for(bytes_, kPiece, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) data_[i] = static_cast<uint8_t>(i);
  });
}

int64_t ReadRoof::read(const Kernels& kernels) {
  std::atomic<int32_t> all{0};  // what is read must be used
  pool_.parallel_for(bytes_, kPiece, [&](int64_t begin, int64_t end, int) {
    all.fetch_xor(kernels.read_roof(data_ + begin, end - begin), std::memory_order_relaxed);
  });
  return bytes_;
}

int64_t run_roof(ThreadPool& pool, int64_t (*roof)(int64_t repeats) noexcept, int64_t repeats) {
  std::atomic<int64_t> operations{0};
  pool.parallel_for(pool.n_threads(), 1, [&](int64_t, int64_t, int) { operations.fetch_add(roof(repeats)); });
  return operations.load();
}

}  // namespace gptj
