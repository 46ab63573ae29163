#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "gptj/bench.h"
#include "kernels/cpu.h"

namespace gptj {
namespace {

TEST(SyntheticModel, EveryTypeEvaluatesToFiniteLogitsThatDiffer) {
  for (const char* type :
       {"f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "q5_0", "q5_1", "q8", "q6", "q5", "q4"}) {
    const Model model(OpenedModel(SyntheticModel{"gpt2-117m:1", type}));
    EXPECT_EQ(model.info().type, type);
    Session session(model, {.n_ctx = 8});
    const auto logits = session.decode(5);  // throws for what is not finite
    const auto [least, most] = std::minmax_element(logits.begin(), logits.end());
    EXPECT_LT(*least, *most) << type;
  }
}

TEST(SyntheticModel, HasTheShapeOfTheKnownOne) {
  const OpenedModel opened(SyntheticModel{"gptj-6b", "f16"});
  const ModelInfo& info = opened.info();
  EXPECT_EQ(info.architecture, "gptj");
  EXPECT_EQ(info.n_layer, 28);
  EXPECT_EQ(info.n_rot, 64);
  // 6,050,882,784 parameters of EleutherAI/gpt-j-6b, less the head's bias, which is optional.
  EXPECT_EQ(info.n_params, 6'050'882'784U - 50'400U);
  EXPECT_EQ(OpenedModel(SyntheticModel{"gpt2-117m", "f16"}).info().n_params, 124'439'808U);
  EXPECT_EQ(OpenedModel(SyntheticModel{"gpt2-1558m", "q4_0"}).info().n_params, 1'557'611'200U);
}

TEST(SyntheticModel, RowsThatAreNoWholeBlocksBecomeF16) {
  const OpenedModel opened(SyntheticModel{"gpt2-1558m:1", "q8"});  // rows of 1600 values, blocks of 128
  for (const TensorInfo& tensor : opened.info().tensors) {
    if (tensor.shape.size() < 2) continue;
    EXPECT_EQ(tensor.type, tensor.shape[1] % 128 == 0 ? "q8" : "f16") << tensor.name;
  }
}

TEST(SyntheticModel, UnknownShapesAndTypesAreErrors) {
  EXPECT_THROW(OpenedModel(SyntheticModel{"gptj-6c", "f16"}), Error);
  EXPECT_THROW(OpenedModel(SyntheticModel{"gptj-6b:29", "f16"}), Error);
  EXPECT_THROW(OpenedModel(SyntheticModel{"gptj-6b:", "f16"}), Error);
  EXPECT_THROW(OpenedModel(SyntheticModel{"gptj-6b", "q2"}), Error);
}

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
