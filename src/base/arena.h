#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/platform.h"

namespace gptj {

/// One allocation from which pieces are taken in order, and given back from the end. A default-
/// constructed arena has no memory and only counts, so the code that takes the pieces also measures them:
///
///   Arena measure; lay_out(measure); Arena arena(measure.used(), "scratch"); lay_out(arena);
class Arena {
 public:
  Arena() = default;

  /// Throws Error, saying that `what` needs the memory, if the machine does not have it.
  Arena(size_t bytes, std::string_view what)
      : base_(static_cast<std::byte*>(platform::allocate_pages(bytes, what))), size_(bytes) {}
  ~Arena() {
    if (base_ != nullptr) platform::free_pages(base_, size_);
  }
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  size_t used() const { return used_; }

  /// Keeps in memory what gets written. Throws Error, saying that `what` was to be locked.
  void lock(std::string_view what) const { platform::lock_pages(base_, size_, what); }

  /// Gives back all but the first `used` bytes. Pieces that are taken there again hold what was written to them, and
  /// where asserts count, NaN, so that nobody relies on zeros.
  void rewind(size_t used) {
    assert(used <= used_);
    used_ = used;
#ifndef NDEBUG
    if (base_ != nullptr) std::memset(base_ + used, 0xff, size_ - used);
#endif
  }

  /// `count` elements, zeroed where nothing was taken before, aligned to a cache line; nullptr while only counting.
  template <typename T>
  T* take(int64_t count) {
    T* piece = base_ != nullptr ? reinterpret_cast<T*>(base_ + used_) : nullptr;
    used_ += (static_cast<size_t>(count) * sizeof(T) + 63) / 64 * 64;
    assert(base_ == nullptr || used_ <= size_);
    return piece;
  }

 private:
  std::byte* base_ = nullptr;
  size_t size_ = 0;
  size_t used_ = 0;
};

}  // namespace gptj
