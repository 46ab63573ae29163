#include "gptj/convert.h"

#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <set>

#include "base/failure.h"
#include "base/file.h"
#include "engine/tiny_models.h"
#include "gptj/importance.h"
#include "io/model_file.h"

namespace gptj {
namespace {

using namespace test;

constexpr SessionOptions kExact = {.n_threads = 2, .kv_type = KvType::f32, .exact = true};

Logits logits_of(const std::string& path) {
  return evaluate(Model(path), kExact, some_ids(20), 15);
}

/// The largest difference, of the largest logit.
double difference(const Logits& a, const Logits& b) {
  EXPECT_EQ(a.size(), b.size());
  double most = 0, largest = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    most = std::max(most, std::abs(double{a[i]} - double{b[i]}));
    largest = std::max(largest, std::abs(double{a[i]}));
  }
  return most / largest;
}

class Quantize : public testing::TestWithParam<const char*> {
 protected:
  std::string source(DType dtype = DType::f32, const ModelShape& shape = kTinyShape) const {
    const bool gptj = GetParam() == std::string("gptj");
    gptj ? write_huggingface_gptj(in, shape, dtype) : write_huggingface_gpt2(in, shape, dtype);
    return in.path();
  }
  std::string measure(const std::string& path) const {
    const Model model(path);
    Session session(model, {.n_ctx = 20, .n_threads = 2, .exact = true});
    measure_importance(session, some_ids(50), out / "imatrix", {});
    return out / "imatrix";
  }

  TemporaryDirectory in, out;
  std::string target = out / "model.gptj";
};

TEST_P(Quantize, PlainTypesKeepEveryBit) {
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16}) {
    const std::string path = source(dtype);
    for (const char* type : {"f32", info(dtype).name}) {
      const ConvertResult result = convert_model(path, target, {.type = type});
      EXPECT_EQ(result.error, 0);
      EXPECT_EQ(logits_of(target), logits_of(path)) << info(dtype).name << " as " << type;
    }
  }
}

TEST_P(Quantize, LegacyFilesToo) {
  const std::string path = write_tiny(in, GetParam(), DType::f16);
  convert_model(path, target, {.type = "f32"});  // GPT-2's positions are F32
  EXPECT_EQ(logits_of(target), logits_of(path));
  EXPECT_EQ(OpenedModel(target).tokenizer().n_tokens(), OpenedModel(path).tokenizer().n_tokens());
}

TEST_P(Quantize, EveryTypeIsAsCloseAsItsBits) {
  const std::string path = source();
  const Logits original = logits_of(path);
  for (const std::string& type : weight_types()) {
    const ConvertResult result = convert_model(path, target, {.type = type});
    SCOPED_TRACE(type);
    // Relative to the values: blocks of b bits are off by about 0.9 * 2^-b, floats by half of their last bit.
    const double limit = type == "f32"    ? 0
                         : type == "f16"  ? 0x1p-11
                         : type == "bf16" ? 0x1p-8
                                          : std::exp2('0' - type[1]);
    EXPECT_LE(difference(logits_of(target), original), 4 * limit);
    EXPECT_LE(std::sqrt(result.error), limit);
    EXPECT_EQ(result.bytes, std::filesystem::file_size(target));
  }
}

TEST_P(Quantize, WhatIsOutsideOfTheLayersKeepsEightBits) {
  const ModelShape shape = {
      .n_vocab = 300, .n_ctx = 80, .n_embd = 128, .n_head = 4, .n_layer = 1, .n_rot = 8};
  const std::string path = source(DType::f32, shape);
  const auto types = [&](const char* type) {
    std::set<std::string> inside, outside;
    for (const ConvertedMatrix& matrix : convert_model(path, target, {.type = type}).matrices) {
      (matrix.name.starts_with("h.") ? inside : outside).insert(matrix.type);
      EXPECT_FALSE(matrix.by_length);
    }
    return std::pair(inside, outside);
  };
  using Set = std::set<std::string>;
  EXPECT_EQ(types("q4"), std::pair(Set{"q4"}, Set{"q8"}));
  EXPECT_EQ(types("q5_1"), std::pair(Set{"q5_1"}, Set{"q8_0"}));
  EXPECT_EQ(types("q8"), std::pair(Set{"q8"}, Set{"q8"}));
  EXPECT_EQ(types("bf16"), std::pair(Set{"bf16"}, Set{"bf16"}));
}

TEST_P(Quantize, RowsThatAreNoWholeNumberOfBlocks) {
  const auto types = [&](int n_embd, const char* type) {
    const ModelShape shape = {
        .n_vocab = 300, .n_ctx = 80, .n_embd = n_embd, .n_head = 2, .n_layer = 1, .n_rot = 4};
    std::set<std::string> found;
    for (const ConvertedMatrix& matrix :
         convert_model(source(DType::f32, shape), target, {.type = type}).matrices) {
      const bool long_rows =
          matrix.name.ends_with(GetParam() == std::string("gptj") ? "fc_out.weight" : "mlp.c_proj.weight");
      EXPECT_EQ(matrix.by_length, !long_rows);
      if (!long_rows) found.insert(matrix.type);
    }
    EXPECT_NO_THROW(logits_of(target));
    return found;
  };
  EXPECT_EQ(types(96, "q6"), std::set<std::string>{"q8_0"});
  EXPECT_EQ(types(40, "q4"), std::set<std::string>{"f16"});
}

TEST_P(Quantize, TheSameFileWithAnyNumberOfThreads) {
  const std::string path = source();
  convert_model(path, target, {.type = "q4", .n_threads = 1});
  convert_model(path, out / "other.gptj", {.type = "q4", .n_threads = 3});
  EXPECT_EQ(read_text_file(target, 1 << 24), read_text_file(out / "other.gptj", 1 << 24));
}

TEST_P(Quantize, ImportanceIsMeasuredAndUsed) {
  const std::string path = source();
  const std::string importance = measure(path);
  const ConvertResult plain = convert_model(path, out / "plain.gptj", {.type = "q4"});
  const ConvertResult guided = convert_model(path, target, {.type = "q4", .importance = importance});
  EXPECT_GT(guided.error, plain.error);  // that of all alike is what it gives up
  EXPECT_LT(guided.error, plain.error * 1.5);
  EXPECT_NE(logits_of(target), logits_of(out / "plain.gptj"));
}

TEST_P(Quantize, ImportanceOfAnotherModelIsRefused) {
  const std::string importance = measure(source());
  ModelShape other = kTinyShape;
  other.n_embd = 64;
  const auto quantize = [&](const ModelShape& shape) {
    const std::string path = source(DType::f32, shape);
    return [=, this] { convert_model(path, target, {.type = "q4", .importance = importance}); };
  };
  expect_error(quantize(other), {importance, "expected 64 values", "another model"});
  other = kTinyShape;
  other.n_layer = 3;
  expect_error(quantize(other), {importance, "h.2.", "another model"});
  other.n_layer = 1;
  expect_error(quantize(other), {importance, "h.1.", "another model"});
  expect_error([&] { convert_model(source(), target, {.type = "q4", .importance = in / "config.json"}); },
               {"config.json"});
  EXPECT_FALSE(std::filesystem::exists(target));
}

TEST_P(Quantize, MistakesLeaveTheTargetAsItWas) {
  const std::string path = source();
  out.file("model.gptj", "precious");
  expect_error([&] { convert_model(path, target, {.type = "q3"}); }, {"type", "q4_0", "'q3'"});
  const auto stop = [](uint64_t, uint64_t) { return false; };
  expect_error([&] { convert_model(path, target, {.type = "q4", .n_threads = 1, .progress = stop}); },
               {"stopped"});
  expect_error([&] { convert_model(path, out.path(), {.type = "q4"}); }, {"Hugging Face directory", "q4"});
  EXPECT_EQ(read_text_file(target, 100), "precious");
  const auto entries = std::filesystem::directory_iterator(out.path());
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 1);
}

TEST_P(Quantize, NamesTheTensorThatHasNoNumbers) {
  const std::string path = source();
  const ModelFile file = open_model_file(path);
  for (const FileTensor& tensor : file.tensors) {
    if (tensor.shape.size() != 2) continue;
    std::string bytes = read_text_file(in / "model.safetensors", 1 << 24);
    const float nan = std::numeric_limits<float>::quiet_NaN();
    std::memcpy(bytes.data() + tensor.offset + 8, &nan, sizeof(nan));
    const TemporaryDirectory damaged;
    std::filesystem::copy(in.path(), damaged.path());
    damaged.file("model.safetensors", bytes);
    expect_error([&] { convert_model(damaged.path(), target, {.type = "q4"}); }, {tensor.name, "NaN", "row"});
    break;
  }
}

INSTANTIATE_TEST_SUITE_P(Architectures, Quantize, testing::Values("gptj", "gpt2"),
                         [](const auto& of) { return std::string(of.param); });

}  // namespace
}  // namespace gptj
