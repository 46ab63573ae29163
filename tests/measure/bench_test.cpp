#include "gptj/bench.h"

#include <gtest/gtest.h>

#include "kernels/cpu.h"

namespace gptj {
namespace {

TEST(Bench, RoofsAreFasterThanNothing) {
  RoofMeter meter(2, uint64_t{16} << 20);
  for (const Roof roof : {Roof::read, Roof::f32, Roof::int8}) EXPECT_GT(meter.measure(roof), 0);
  EXPECT_EQ(meter.measure(Roof::bf16) > 0, kernels().bf16_roof != nullptr);
}

TEST(Bench, OperationsAndBytesAreThoseOfTheShape) {
  const ModelInfo info = OpenedModel(SyntheticModel{"gptj-6b", "f16"}).info();
  // A token's multiply-adds: 28 layers of 12 * 4096^2 weights; with one token the attention meets one key.
  const double weights = 28.0 * 12 * 4096 * 4096, head = 4096.0 * 50400;
  EXPECT_DOUBLE_EQ(prompt_operations(info, 1), 2 * (weights + head + 28 * 2 * 4096));
  // 1 + 2 + ... + 100 keys, and as many values.
  EXPECT_DOUBLE_EQ(prompt_operations(info, 100), 2 * (100 * weights + head + 28 * 2 * 4096.0 * 5050));
  EXPECT_EQ(prompt_roof(info, true), Roof::f32);
  EXPECT_EQ(prompt_roof(OpenedModel(SyntheticModel{"gptj-6b", "q4"}).info(), false), Roof::int8);
  EXPECT_EQ(prompt_roof(OpenedModel(SyntheticModel{"gptj-6b", "q4"}).info(), true), Roof::f32);
  // Keys and values of a token: 28 layers * 2 * 4096 F16.
  EXPECT_DOUBLE_EQ(decode_bytes(info, {}, 0), static_cast<double>(info.read_bytes));
  EXPECT_DOUBLE_EQ(decode_bytes(info, {}, 10) - decode_bytes(info, {}, 0), 10 * 28 * 2 * 4096 * 2.0);
}

}  // namespace
}  // namespace gptj
