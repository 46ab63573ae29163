#include "base/cgroup.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/temporary_directory.h"

namespace gptj {
namespace {

namespace fs = std::filesystem;
using platform::cgroup_limits;
using platform::CgroupLimits;

constexpr CgroupLimits kNone;

/// A file system's root with what a test writes there.
class Cgroup : public testing::Test {
 protected:
  void write(const std::string& path, const std::string& text) const {
    fs::create_directories(fs::path(directory_.path() + path).parent_path());
    std::ofstream(directory_.path() + path) << text;
  }
  void expect(uint64_t memory, int cpus) const {
    const CgroupLimits limits = cgroup_limits(directory_.path());
    EXPECT_EQ(limits.memory, memory);
    EXPECT_EQ(limits.cpus, cpus);
  }

  test::TemporaryDirectory directory_;
};

TEST_F(Cgroup, NoneAreNoLimits) {
  expect(kNone.memory, kNone.cpus);
  write("/proc/self/cgroup", "0::/a\nnonsense\n:\n");
  expect(kNone.memory, kNone.cpus);
  write("/sys/fs/cgroup/a/memory.max", "max\n");
  write("/sys/fs/cgroup/a/memory.current", "1000\n");
  write("/sys/fs/cgroup/a/cpu.max", "max 100000\n");
  expect(kNone.memory, kNone.cpus);
}

TEST_F(Cgroup, Version2) {
  write("/proc/self/cgroup", "0::/a\n");
  write("/sys/fs/cgroup/a/memory.max", "10000\n");
  expect(kNone.memory, kNone.cpus);  // without memory.current nothing is known
  write("/sys/fs/cgroup/a/memory.current", "3000\n");
  expect(7000, kNone.cpus);
  write("/sys/fs/cgroup/a/memory.stat", "anon 500\nfile 2600\ninactive_file 2000\nactive_file 400\n");
  expect(9400, kNone.cpus);  // caches of files are given back
  write("/sys/fs/cgroup/a/memory.current", "20000\n");
  expect(0, kNone.cpus);
  for (const auto& [cpu, cpus] : {std::pair{"50000 100000\n", 1}, std::pair{"100000 100000\n", 1},
                                  std::pair{"250000 100000\n", 3}, std::pair{"7 2\n", 4}}) {
    write("/sys/fs/cgroup/a/cpu.max", cpu);
    expect(0, cpus);
  }
}

TEST_F(Cgroup, TheTightestOfTheGroupsAroundCounts) {
  write("/proc/self/cgroup", "0::/a/b/c\n");
  write("/sys/fs/cgroup/memory.max", "100000\n");
  write("/sys/fs/cgroup/memory.current", "5000\n");
  expect(95000, kNone.cpus);
  write("/sys/fs/cgroup/a/memory.max", "10000\n");
  write("/sys/fs/cgroup/a/memory.current", "4000\n");
  write("/sys/fs/cgroup/a/b/memory.max", "9000\n");
  write("/sys/fs/cgroup/a/b/memory.current", "1000\n");
  write("/sys/fs/cgroup/a/b/c/cpu.max", "400000 100000\n");
  write("/sys/fs/cgroup/a/cpu.max", "200000 100000\n");
  expect(6000, 2);
}

TEST_F(Cgroup, Version1) {
  write("/proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/y\n3:cpuset:/z\n1:name=systemd:/\n");
  write("/sys/fs/cgroup/memory/y/memory.limit_in_bytes", "9223372036854771712\n");  // none
  write("/sys/fs/cgroup/memory/y/memory.usage_in_bytes", "1000\n");
  write("/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "-1\n");
  write("/sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "100000\n");
  expect(9223372036854771712U - 1000, kNone.cpus);
  write("/sys/fs/cgroup/memory/y/memory.limit_in_bytes", "10000\n");
  write("/sys/fs/cgroup/memory/y/memory.stat",
        "inactive_file 1\ntotal_inactive_file 100\ntotal_active_file 50\n");
  write("/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "150000\n");
  expect(9150, 2);
}

// /proc gives the host's path of a container's group, which the container sees as the outermost one.
TEST_F(Cgroup, OfAContainerThatSeesItselfAsTheOutermost) {
  write("/proc/self/cgroup", "4:memory:/docker/1f\n3:cpu:/docker/1f\n");
  write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "10000\n");
  write("/sys/fs/cgroup/memory/memory.usage_in_bytes", "1000\n");
  write("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "300000\n");
  write("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  expect(9000, 3);
}

}  // namespace
}  // namespace gptj
