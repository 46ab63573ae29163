#include <gtest/gtest.h>

#include "kernels/roofs.h"
#include "kernels/tested_sets.h"

namespace gptj {
namespace {

using Roof = KernelTest;

TEST_P(Roof, CountsTheOperationsOfEveryRepeat) {
  const int64_t once = table().f32_roof(1);
  EXPECT_GT(once, 0);
  EXPECT_EQ(table().f32_roof(1000), 1000 * once);
  const int64_t bytes = table().int8_roof(1);
  EXPECT_GE(bytes, 4 * once);  // four in the place of each float, and more in a tile
  EXPECT_EQ(table().int8_roof(1000), 1000 * bytes);
  if (const auto bf16 = table().bf16_roof; bf16 != nullptr) {
    EXPECT_EQ(bf16(1), bytes / 2);
    EXPECT_EQ(bf16(1000), 1000 * bytes / 2);
  }
}

TEST_P(Roof, RunsOnEveryThread) {
  ThreadPool pool(3);
  EXPECT_EQ(run_roof(pool, table().f32_roof, 100), 3 * table().f32_roof(100));
}

INSTANTIATE_TEST_SUITE_P(AllSets, Roof, testing::ValuesIn(tested_sets()), set_name);

TEST(ReadRoof, ReadsAllThatItTook) {
  ThreadPool pool(2);
  ReadRoof roof(pool, 8 << 20);
  EXPECT_EQ(roof.read(kernels()), 8 << 20);
}

}  // namespace
}  // namespace gptj
