#pragma once

#include <cstdint>
#include <limits>
#include <string>

namespace gptj::platform {

/// What the control groups that this process is in leave to it: containers and services are such groups.
struct CgroupLimits {
  uint64_t memory = std::numeric_limits<uint64_t>::max();  // bytes that are free, or hold caches of files
  int cpus = std::numeric_limits<int>::max();              // CPU time per time, rounded up
};

/// Of versions 1 and 2; no limits where there are no groups (macOS). `root` is "" outside tests.
/// https://docs.kernel.org/admin-guide/cgroup-v2.html
CgroupLimits cgroup_limits(const std::string& root = "");

}  // namespace gptj::platform
