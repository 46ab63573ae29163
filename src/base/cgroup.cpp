#include "base/cgroup.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string_view>

namespace gptj::platform {
namespace {

namespace fs = std::filesystem;

/// Nothing where the file is missing or says "max".
std::optional<int64_t> read_number(const fs::path& path) {
  std::ifstream in(path);
  int64_t number = 0;
  return in >> number ? std::optional(number) : std::nullopt;
}

/// Bytes of cached files, which the system drops before it refuses memory.
int64_t file_cache(const fs::path& statistics, const std::string& prefix) {
  std::ifstream in(statistics);
  int64_t bytes = 0, value = 0;
  for (std::string key; in >> key >> value;) {
    if (key == prefix + "active_file" || key == prefix + "inactive_file") bytes += value;
  }
  return bytes;
}

void limit_memory(CgroupLimits& limits, std::optional<int64_t> limit, std::optional<int64_t> used,
                  int64_t cache) {
  if (!limit || !used) return;
  const int64_t left = *limit - std::max<int64_t>(0, *used - cache);
  limits.memory = std::min(limits.memory, static_cast<uint64_t>(std::max<int64_t>(0, left)));
}

void limit_cpus(CgroupLimits& limits, int64_t quota, int64_t period) {
  if (quota <= 0 || period <= 0) return;
  const int64_t cpus = (quota - 1) / period + 1;
  limits.cpus = static_cast<int>(std::min<int64_t>(limits.cpus, cpus));
}

void limit_v2(CgroupLimits& limits, const fs::path& group) {
  limit_memory(limits, read_number(group / "memory.max"), read_number(group / "memory.current"),
               file_cache(group / "memory.stat", ""));
  int64_t quota = 0, period = 0;
  if (std::ifstream in(group / "cpu.max"); in >> quota >> period) limit_cpus(limits, quota, period);
}

/// Of either controller: only its files are there.
void limit_v1(CgroupLimits& limits, const fs::path& group) {
  limit_memory(limits, read_number(group / "memory.limit_in_bytes"),
               read_number(group / "memory.usage_in_bytes"), file_cache(group / "memory.stat", "total_"));
  limit_cpus(limits, read_number(group / "cpu.cfs_quota_us").value_or(-1),
             read_number(group / "cpu.cfs_period_us").value_or(0));
}

}  // namespace

CgroupLimits cgroup_limits(const std::string& root) {
  CgroupLimits limits;
  const fs::path mounts = root + "/sys/fs/cgroup";
  std::ifstream groups(root + "/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {  // "0::/user.slice" or "4:cpu,cpuacct:/docker/1f"
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    // Limits also bind the groups inside. A container may see its own group as the outermost one.
    for (fs::path group = line.substr(second + 1);; group = group.parent_path()) {
      const fs::path inside = group.relative_path();
      if (controllers == ",,") limit_v2(limits, mounts / inside);
      for (const std::string_view name : {"memory", "cpu"}) {
        if (controllers.find("," + std::string(name) + ",") != controllers.npos) {
          limit_v1(limits, mounts / name / inside);
        }
      }
      if (inside.empty()) break;
    }
  }
  return limits;
}

}  // namespace gptj::platform
