#include "bench/allocations.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<int64_t> calls{0};

void* allocate(size_t size) noexcept {
  calls.fetch_add(1, std::memory_order_relaxed);
  return std::malloc(std::max<size_t>(1, size));
}

void* allocate(size_t size, std::align_val_t alignment) noexcept {
  calls.fetch_add(1, std::memory_order_relaxed);
  const auto align = static_cast<size_t>(alignment);
  return std::aligned_alloc(align, (std::max<size_t>(1, size) + align - 1) / align * align);
}

void* expected(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

int64_t gptj::apps::n_allocations() {
  return calls.load();
}

// The forms for arrays call these. The nothrow forms would, too, but a sanitizer brings its own of them, whose memory the
// forms of delete below must not free.
void* operator new(size_t size) {
  return expected(allocate(size));
}
void* operator new(size_t size, std::align_val_t alignment) {
  return expected(allocate(size, alignment));
}
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  return allocate(size);
}
void* operator new(size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return allocate(size, alignment);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t, std::align_val_t) noexcept {
  std::free(memory);
}
