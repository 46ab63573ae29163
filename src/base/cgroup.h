#pragma once

#include <cstdint>
#include <limits>
#include <string>

namespace gptj::platform {

/// What this process's control groups leave to it. Containers and services are control groups.
struct CgroupLimits {
  uint64_t memory = std::numeric_limits<uint64_t>::max();  // bytes that are free, or hold caches of files
  int cpus = std::numeric_limits<int>::max();              // whose time it may use, rounded up
};

/// Knows versions 1 and 2; without groups (macOS) there are no limits. `root` is "" outside tests.
/// https://docs.kernel.org/admin-guide/cgroup-v2.html
CgroupLimits cgroup_limits(const std::string& root = "");

}  // namespace gptj::platform
