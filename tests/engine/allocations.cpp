#include "engine/allocations.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

// glibc's own names for what is replaced here. operator new and C++'s containers end in malloc.
extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
void __libc_free(void*);
}

namespace gptj::test {
namespace {

constexpr size_t kMaxMaps = 256;

std::atomic<long> calls{0};
std::atomic<bool> recording{false};
std::atomic<size_t> n_maps{0};
size_t map_sizes[kMaxMaps];

template <typename T>
T counted(T result) {
  calls.fetch_add(1, std::memory_order_relaxed);
  return result;
}

}  // namespace

long n_allocations() {
  return calls.load();
}

MapRecorder::MapRecorder() {
  n_maps = 0;
  recording = true;
}
MapRecorder::~MapRecorder() {
  recording = false;
}
std::vector<size_t> MapRecorder::sizes() const {
  return {map_sizes, map_sizes + std::min(n_maps.load(), kMaxMaps)};
}

}  // namespace gptj::test

extern "C" {

using gptj::test::counted;

void* malloc(size_t size) noexcept {
  return counted(__libc_malloc(size));
}
void* calloc(size_t n, size_t size) noexcept {
  return counted(__libc_calloc(n, size));
}
void* realloc(void* old, size_t size) noexcept {
  return counted(__libc_realloc(old, size));
}
void* memalign(size_t alignment, size_t size) noexcept {
  return counted(__libc_memalign(alignment, size));
}
void* aligned_alloc(size_t alignment, size_t size) noexcept {
  return counted(__libc_memalign(alignment, size));
}
int posix_memalign(void** out, size_t alignment, size_t size) noexcept {
  *out = counted(__libc_memalign(alignment, size));
  return *out != nullptr ? 0 : ENOMEM;
}
void free(void* old) noexcept {
  __libc_free(old);
}

void* mmap(void* address, size_t size, int protection, int flags, int fd, off_t offset) noexcept {
  if (gptj::test::recording && protection == (PROT_READ | PROT_WRITE)) {
    const size_t i = gptj::test::n_maps++;
    if (i < gptj::test::kMaxMaps) gptj::test::map_sizes[i] = size;
  }
  return counted(reinterpret_cast<void*>(::syscall(SYS_mmap, address, size, protection, flags, fd, offset)));
}

}  // extern "C"
