#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "gptj/session.h"
#include "tensor/file_rows.h"

namespace gptj {
namespace {

TEST(SyntheticModel, EveryTypeEvaluatesToFiniteLogitsThatDiffer) {
  for (const DType dtype : test::all_dtypes()) {
    const std::string type = info(dtype).name;
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

}  // namespace
}  // namespace gptj
