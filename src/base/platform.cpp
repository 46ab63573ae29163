#include "base/platform.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "base/cgroup.h"
#include "base/error.h"

#ifdef __APPLE__
#include <sys/sysctl.h>
#else
#include <sched.h>

#include <fstream>
#include <set>
#include <string>
#include <utility>
#endif

namespace gptj::platform {
namespace {

#ifdef __APPLE__

constexpr uint64_t kPeakUnit = 1;  // ru_maxrss is in bytes

template <typename T>
T sysctl_value(const char* name) {
  T value{};
  size_t size = sizeof value;
  return ::sysctlbyname(name, &value, &size, nullptr, 0) == 0 ? value : T{};
}

int count_physical_cores() {
  return sysctl_value<int>("hw.physicalcpu");
}
uint64_t count_available_memory() {  // all there is: what is free is not told
  return sysctl_value<uint64_t>("hw.memsize");
}
void prefer_huge_pages(void*, size_t) {}
void avoid_huge_pages(void*, size_t) {}
void forget_peak_memory() {}
bool forget_pages(int) {
  return false;
}

#else

constexpr uint64_t kPeakUnit = 1024;  // ru_maxrss is in KiB

int read_topology(int cpu, const char* field) {
  std::ifstream in("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/" + field);
  int value = -1;
  return in >> value ? value : -1;
}

// Hardware threads of one core share its (package, core) pair.
int count_physical_cores() {
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) {  // more CPUs than the set can hold
    return static_cast<int>(std::thread::hardware_concurrency());
  }
  std::set<std::pair<int, int> > cores;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    const int core = read_topology(cpu, "core_id");
    if (core < 0) return CPU_COUNT(&allowed);
    cores.emplace(read_topology(cpu, "physical_package_id"), core);
  }
  return static_cast<int>(cores.size());
}

uint64_t count_available_memory() {
  std::ifstream in("/proc/meminfo");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("MemAvailable:")) return std::stoull(line.substr(13)) * 1024;
  }
  return 0;
}

void prefer_huge_pages(void* pages, size_t bytes) {
  ::madvise(pages, bytes, MADV_HUGEPAGE);
}

void avoid_huge_pages(void* pages, size_t bytes) {
  ::madvise(pages, bytes, MADV_NOHUGEPAGE);
}

void forget_peak_memory() {
  std::ofstream("/proc/self/clear_refs") << "5";  // proc(5): the largest resident size begins anew
}

bool forget_pages(int fd) {
  return ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0;
}

#endif

}  // namespace

int physical_cores() {
  return std::max(1, std::min(count_physical_cores(), cgroup_limits().cpus));
}

uint64_t available_memory() {
  return std::min(count_available_memory(), cgroup_limits().memory);
}

uint64_t peak_memory() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) * kPeakUnit;
}

void reset_peak_memory() {
  forget_peak_memory();
}

bool forget_cached(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool done = forget_pages(fd);
  ::close(fd);
  return done;
}

void* allocate_pages(size_t bytes, std::string_view what) {
  const uint64_t available = available_memory();
  void* pages = MAP_FAILED;
  if (available == 0 || bytes <= available) {
    pages = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  }
  if (pages == MAP_FAILED) {
    constexpr double kMb = 1024.0 * 1024.0;
    fail("not enough memory: {}: needs {:.1f} MB, {:.1f} MB are available", what,
         static_cast<double>(bytes) / kMb, static_cast<double>(available) / kMb);
  }
  prefer_huge_pages(pages, bytes);
  return pages;
}

void prefer_small_pages(void* pages, size_t bytes) {
  constexpr uintptr_t kPage = 4096;
  const auto begin = (reinterpret_cast<uintptr_t>(pages) + kPage - 1) / kPage * kPage;
  const auto end = (reinterpret_cast<uintptr_t>(pages) + bytes) / kPage * kPage;
  if (begin < end) avoid_huge_pages(reinterpret_cast<void*>(begin), end - begin);
}

void free_pages(void* pages, size_t bytes) {
  ::munmap(pages, bytes);
}

}  // namespace gptj::platform
