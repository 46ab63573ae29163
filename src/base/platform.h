#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// What differs between Linux and macOS. All of it is in platform.cpp and cgroup.cpp.
namespace gptj::platform {

/// Physical cores that this process may use (affinity and control groups respected), at least 1.
int physical_cores();

/// Keeps the calling thread on one physical core: the `index`-th, modulo their number, of those that this process
/// might use at the first call. False: threads cannot be bound here.
bool pin_to_core(int index);

/// Bytes of memory that could still be used without swapping, in the machine and in the process's control groups; 0 if
/// unknown. On macOS, which does not say what is free, all of the machine's memory.
uint64_t available_memory();

/// Largest resident size of this process so far, in bytes; since reset_peak_memory(), where the system can.
uint64_t peak_memory();
void reset_peak_memory();

/// Asks the system to drop what it has cached of a file. False: it cannot be asked.
bool forget_cached(const std::string& path);

/// Zeroed, page-aligned memory, on huge pages where the system offers them. Throws Error, saying that `what` needs
/// it, if it would not fit: a system that promises more memory than it has would kill the process later.
void* allocate_pages(size_t bytes, std::string_view what);
void free_pages(void* pages, size_t bytes);

/// Asks for huge pages, where the system has them for such memory (allocated, or mapped from a file).
void prefer_huge_pages(void* pages, size_t bytes);

/// Waits until pages of a mapped file are in memory and in this process's page tables. False: they cannot be read.
/// (Where the system has no call for it, the pages are touched, and what cannot be read ends the process with
/// SIGBUS.)
bool read_in(const void* pages, size_t bytes);

/// Keeps pages in memory that are there or get there later. Throws Error, saying that `what` was to be locked.
void lock_pages(const void* pages, size_t bytes, std::string_view what);

}  // namespace gptj::platform
