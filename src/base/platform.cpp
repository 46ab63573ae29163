#include "base/platform.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
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
#include <vector>
#endif

namespace gptj::platform {

#ifdef __APPLE__

namespace {

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
bool forget_pages(int) {
  return false;
}
int read_pages(const void*, size_t) {
  return EINVAL;
}
int lock_in_memory(const void* pages, size_t bytes) {
  return ::mlock(pages, bytes);
}

}  // namespace

bool pin_to_core(int) {  // the system only takes hints
  return false;
}
void reset_peak_memory() {}
void prefer_huge_pages(void*, size_t) {}

#else

namespace {

constexpr uint64_t kPeakUnit = 1024;  // ru_maxrss is in KiB

int read_topology(int cpu, const char* field) {
  std::ifstream in("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/" + field);
  int value = -1;
  return in >> value ? value : -1;
}

// One CPU of each physical core: hardware threads of one core share its (package, core) pair.
std::vector<int> find_cores() {
  cpu_set_t allowed;
  std::vector<int> cpus;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) {  // more CPUs than the set can hold
    for (unsigned cpu = 0; cpu < std::thread::hardware_concurrency(); ++cpu)
      cpus.push_back(static_cast<int>(cpu));
    return cpus;
  }
  std::set<std::pair<int, int> > seen;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    const int core = read_topology(cpu, "core_id");
    if (core < 0 || seen.emplace(read_topology(cpu, "physical_package_id"), core).second) cpus.push_back(cpu);
  }
  return cpus;
}

// As they are at first: a thread that is bound later sees only its own.
const std::vector<int>& cores() {
  static const std::vector<int> found = find_cores();
  return found;
}

int count_physical_cores() {
  return static_cast<int>(cores().size());
}

uint64_t count_available_memory() {
  std::ifstream in("/proc/meminfo");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("MemAvailable:")) return std::stoull(line.substr(13)) * 1024;
  }
  return 0;
}

bool forget_pages(int fd) {
  return ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0;
}

/// 0 or an error; EINVAL before Linux 5.14.
int read_pages(const void* pages, size_t bytes) {
  int result;
  do {
    result = ::madvise(const_cast<void*>(pages), bytes, MADV_POPULATE_READ) == 0 ? 0 : errno;
  } while (result == EINTR || result == EAGAIN);
  return result;
}

/// Reads nothing yet, so that whoever may not lock learns it at once.
int lock_in_memory(const void* pages, size_t bytes) {
  return ::mlock2(pages, bytes, MLOCK_ONFAULT);
}

}  // namespace

bool pin_to_core(int index) {
  if (cores().empty()) return false;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cores()[static_cast<size_t>(index) % cores().size()], &one);
  return ::sched_setaffinity(0, sizeof one, &one) == 0;
}

void reset_peak_memory() {
  std::ofstream("/proc/self/clear_refs") << "5";  // proc(5): the largest resident size begins anew
}

void prefer_huge_pages(void* pages, size_t bytes) {
  ::madvise(pages, bytes, MADV_HUGEPAGE);
}

#endif

namespace {

constexpr size_t kPage = 4096;

double in_mb(uint64_t bytes) {
  return static_cast<double>(bytes) / (1024.0 * 1024.0);
}

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
    fail("not enough memory: {}: needs {:.1f} MB, {:.1f} MB are available", what, in_mb(bytes),
         in_mb(available));
  }
  prefer_huge_pages(pages, bytes);
  return pages;
}

void free_pages(void* pages, size_t bytes) {
  ::munmap(pages, bytes);
}

bool read_in(const void* pages, size_t bytes) {
  const int error = read_pages(pages, bytes);
  if (error != EINVAL) return error == 0;
  const auto* page = static_cast<const volatile char*>(pages);
  for (size_t at = 0; at < bytes; at += kPage) static_cast<void>(page[at]);
  return true;
}

void lock_pages(const void* pages, size_t bytes, std::string_view what) {
  if (bytes == 0 || lock_in_memory(pages, bytes) == 0) return;
  const int code = errno;
  if (code != ENOMEM && code != EPERM) {
    fail("cannot lock {:.1f} MB in memory for {}: {}", in_mb(bytes), what,
         std::system_category().message(code));
  }
  rlimit limit{};
  ::getrlimit(RLIMIT_MEMLOCK, &limit);
  fail(
      "cannot lock {:.1f} MB in memory for {}: this process may lock {:.1f} MB in all (RLIMIT_MEMLOCK); "
      "raise that with 'ulimit -l' or memlock in /etc/security/limits.conf",
      in_mb(bytes), what, in_mb(limit.rlim_cur));
}

}  // namespace gptj::platform
