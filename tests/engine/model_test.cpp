#include "gptj/model.h"

#include "base/failure.h"
#include "engine/tiny_models.h"

namespace gptj {
namespace {

using namespace test;

TEST(Model, KnowsWhatItIs) {
  const TemporaryDirectory directory;
  const std::string path = write_tiny(directory, "gptj", DType::q4_1);
  const Model model(path);
  const ModelInfo& info = model.info();
  EXPECT_EQ(info.path, path);
  EXPECT_EQ(info.file_format, "ggml");
  EXPECT_EQ(info.architecture, "gptj");
  EXPECT_EQ(info.type, "q4_1");
  EXPECT_EQ(info.n_vocab, 300);
  EXPECT_EQ(info.n_ctx, 80);
  EXPECT_EQ(info.n_embd, 96);
  EXPECT_EQ(info.n_head, 4);
  EXPECT_EQ(info.n_layer, 2);
  EXPECT_EQ(info.n_inner, 384);
  EXPECT_EQ(info.n_rot, 8);
  EXPECT_EQ(info.activation, "gelu_new");
  EXPECT_EQ(info.tensors.size(), 5U + 2 * 10);
  EXPECT_EQ(info.tensors[0].name, "transformer.wte.weight");
  EXPECT_EQ(info.tensors[0].type, "q4_1");
  EXPECT_EQ(info.tensors[0].shape, (std::vector<int64_t>{300, 96}));
  EXPECT_EQ(info.tensors[0].bytes, 300U * 96 / 32 * 20);
  const uint64_t layer = 4 * 96 * 96 + 2 * 96 * 384, vectors = 2 * (3 * 96 + 384) + 2 * 96 + 300;
  EXPECT_EQ(info.n_params, 2 * 300 * 96 + 2 * layer + vectors);
  // The head's 300 rows lie in 19 panels of 16.
  EXPECT_EQ(info.read_bytes, (19 * 16 * 96 + 2 * layer) / 32 * 20);
  EXPECT_GT(info.weight_bytes, info.read_bytes);
  EXPECT_EQ(model.tokenizer().n_tokens(), 300);
}

TEST(Model, IsKnownBeforeItsWeightsAreRead) {
  const TemporaryDirectory directory;
  for (const char* architecture : {"gptj", "gpt2"}) {
    const std::string path = write_tiny(directory, architecture, DType::f16);
    const ModelInfo info = OpenedModel(path).info();
    const Model model(path);
    EXPECT_EQ(info.architecture, architecture);
    EXPECT_EQ(info.weight_bytes, model.info().weight_bytes);
    EXPECT_EQ(info.read_bytes, model.info().read_bytes);
    EXPECT_EQ(info.n_params, model.info().n_params);
    EXPECT_EQ(info.tensors.size(), model.info().tensors.size());
  }
}

TEST(Model, MoreTokensThanEmbeddingRowsAreAnError) {
  const TemporaryDirectory directory;
  const ModelShape shape = {.n_vocab = 260, .n_ctx = 8, .n_embd = 16, .n_head = 2, .n_layer = 1, .n_rot = 4};
  write_huggingface_gpt2(directory, shape, DType::f32);
  EXPECT_NO_THROW(OpenedModel(directory.path()));
  write_tokenizer(directory, 258);
  EXPECT_NO_THROW(OpenedModel(directory.path()));  // the rest is padding
  write_tokenizer(directory, 261);
  const auto words = std::vector<std::string>{directory.path(), "vocab_size", "260", "261"};
  expect_error([&] { OpenedModel opened(directory.path()); }, words);
  expect_error([&] { Model model(directory.path()); }, words);
}

TEST(Model, CountsOnlyItsWeights) {
  const TemporaryDirectory directory;
  const ModelShape shape = {.n_vocab = 260, .n_ctx = 64, .n_embd = 16, .n_head = 2, .n_layer = 1, .n_rot = 4};
  write_huggingface_gpt2(directory, shape, DType::f16);
  const ModelInfo without = OpenedModel(directory.path()).info();
  std::vector<SafeTensor> tensors = huggingface_gpt2(shape, DType::f16);
  // A mask, as old checkpoints have it: larger than all weights here, and no weight.
  const int64_t side = 128;
  tensors.push_back(
      {"transformer.h.0.attn.bias", "F32", {1, 1, side, side}, random_values(DType::f32, side * side, 1)});
  directory.file("model.safetensors", safetensors_bytes(tensors));
  const ModelInfo with = OpenedModel(directory.path()).info();
  EXPECT_EQ(with.tensors.size(), without.tensors.size() + 1);
  EXPECT_EQ(with.n_params, without.n_params);
  EXPECT_EQ(with.type, "f16");
  const uint64_t layer = 4 * 16 + 3 * 16 * 17 + 16 * 17 + 64 * 17 + 16 * 65;
  EXPECT_EQ(with.n_params, (260 + 64) * 16 + layer + 2 * 16);  // the tied head once
}

TEST(Model, ThreadsOutOfRangeAreErrors) {
  const TemporaryDirectory directory;
  const std::string path = write_tiny(directory, "gptj", DType::f16);
  for (const int n_threads : {-1, 1025}) {
    expect_error([&] { Model model(path, {.n_threads = n_threads}); },
                 {"threads", "1 to 1024", "found " + std::to_string(n_threads)});
  }
}

TEST(Model, LoadingCanBeStopped) {
  const TemporaryDirectory directory;
  const std::string path = write_tiny(directory, "gptj", DType::f16);
  expect_error(
      [&] { Model model(path, {.n_threads = 1, .progress = [](uint64_t, uint64_t) { return false; }}); },
      {path, "stopped"});
}

TEST(Model, MayBeMovedWhileSessionsUseIt) {
  const TemporaryDirectory directory;
  Model first(write_tiny(directory, "gptj", DType::f16));
  const std::vector<int> ids = some_ids(6);
  const Logits expected = evaluate(first, {}, ids, 3);
  Session session(first, {});
  Logits found = evaluate(session, std::span(ids).first(4), 3);
  const Model second(std::move(first));
  for (const int id : std::span(ids).last(2)) append(found, session.decode(id));
  EXPECT_EQ(found, expected);
}

TEST(Model, ErrorsOfEveryKindNameThePath) {
  const TemporaryDirectory directory;
  const std::string empty = directory.file("empty.bin", ""), text = directory.file("text.bin", "no model");
  for (const std::string& path : {directory / "missing", empty, text, directory.path()}) {
    expect_error([&] { OpenedModel opened(path); }, {path});
    expect_error([&] { Model model(path); }, {path});
  }
}

}  // namespace
}  // namespace gptj
