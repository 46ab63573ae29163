#include "base/platform.h"

#ifdef __linux__
#include <sched.h>
#endif

#include <algorithm>
#include <cstdint>
#include <memory>
#include <thread>

#include "base/failure.h"

namespace gptj {
namespace {

TEST(Platform, CountsCores) {
  EXPECT_GE(platform::physical_cores(), 1);
}

TEST(Platform, AThreadThatIsBoundSeesAsManyCores) {
  const int cores = platform::physical_cores();
  std::thread([&] {
    for (const int index : {0, cores - 1, cores, 1000}) {
      if (!platform::pin_to_core(index)) return;  // where systems only take hints
      EXPECT_EQ(platform::physical_cores(), cores);
#ifdef __linux__
      cpu_set_t allowed;
      ASSERT_EQ(::sched_getaffinity(0, sizeof allowed, &allowed), 0);
      EXPECT_EQ(CPU_COUNT(&allowed), 1);
#endif
    }
  }).join();
}

TEST(Platform, PagesAreZeroedAndCountAsPeakMemory) {
  constexpr size_t kMany = 64 << 20;
  const uint64_t before = platform::peak_memory();
  auto* bytes = static_cast<uint8_t*>(platform::allocate_pages(kMany, "a test"));
  EXPECT_EQ(reinterpret_cast<uintptr_t>(bytes) % 4096, 0U);
  EXPECT_EQ(static_cast<size_t>(std::count(bytes, bytes + kMany, 0)), kMany);
  std::fill(bytes, bytes + kMany, static_cast<uint8_t>(1));
  EXPECT_GE(platform::peak_memory(), before + kMany / 2);  // half: some of it may have been in use before
  platform::free_pages(bytes, kMany);
}

TEST(Platform, RefusedMemoryIsAnError) {
  test::expect_error([] { platform::allocate_pages(size_t{1} << 62, "a whale"); },
                     {"not enough memory: a whale: needs 4398046511104.0 MB", "MB are available"});
}

}  // namespace
}  // namespace gptj
