#include "gptj/importance.h"

#include <filesystem>
#include <map>

#include "base/failure.h"
#include "engine/tiny_models.h"
#include "io/safetensors.h"

namespace gptj {
namespace {

using namespace test;

/// The tensors of an importance file.
std::map<std::string, std::vector<float>> read_importance(const std::string& path) {
  const InputFile input(path);
  ModelFile file;
  read_safetensors(input, file);
  std::map<std::string, std::vector<float>> out;
  for (const FileTensor& tensor : file.tensors) {
    std::vector<float>& values = out[tensor.name];
    values.resize(tensor.bytes / sizeof(float));
    input.read_at(tensor.offset, values.data(), tensor.bytes);
  }
  return out;
}

TEST(Importance, IsTheMeanSquareOfEachInput) {
  const TemporaryDirectory dir;
  const Model model(write_tiny(dir, "gptj", DType::f32));
  Session session(model, {.n_ctx = 10, .n_threads = 2, .exact = true});
  const std::vector<int> ids = some_ids(25);
  const auto measure = [&](std::span<const int> some, int n_tokens) {
    const ImportanceResult result = measure_importance(session, some, dir / "imatrix", {});
    EXPECT_EQ(result.n_tokens, n_tokens);
    EXPECT_EQ(result.n_matrices, 2U * 6 + 1);  // the embedding is not multiplied
    return read_importance(dir / "imatrix");
  };
  const auto both = measure(ids, 20);
  const auto first = measure(std::span(ids).first(10), 10);
  const auto second = measure(std::span(ids).subspan(10, 10), 10);
  ASSERT_EQ(both.size(), 13U);
  EXPECT_FALSE(both.contains("wte.weight"));
  for (const auto& [name, values] : both) {
    EXPECT_EQ(values.size(), name.ends_with("fc_out.weight") ? 384U : 96U) << name;
    for (size_t k = 0; k < values.size(); ++k) {
      EXPECT_GT(values[k], 0);
      EXPECT_NEAR(values[k], (first.at(name)[k] + second.at(name)[k]) / 2, 1e-5 * values[k]) << name;
    }
  }
  EXPECT_EQ(both.at("h.1.attn.q_proj.weight"), both.at("h.1.mlp.fc_in.weight"));
  EXPECT_NE(both.at("h.1.attn.q_proj.weight"), both.at("h.1.attn.out_proj.weight"));
}

TEST(Importance, ATiedHeadCountsForTheEmbedding) {
  const TemporaryDirectory dir;
  write_huggingface_gpt2(dir, kTinyShape, DType::f32);
  const Model model(dir.path());
  Session session(model, {.n_ctx = 10, .n_threads = 1});
  measure_importance(session, some_ids(10), dir / "imatrix", {});
  const auto measured = read_importance(dir / "imatrix");
  EXPECT_EQ(measured.size(), 2U * 4 + 1);
  EXPECT_TRUE(measured.contains("wte.weight"));
}

TEST(Importance, CanBeStopped) {
  const TemporaryDirectory dir;
  const Model model(write_tiny(dir, "gptj", DType::f32));
  Session session(model, {.n_ctx = 10, .n_threads = 1});
  const auto measure = [&] {
    measure_importance(session, some_ids(30), dir / "imatrix", [](int done, int) { return done < 2; });
  };
  expect_error(measure, {"stopped"});
  EXPECT_FALSE(std::filesystem::exists(dir / "imatrix"));
  session.truncate(0);
  EXPECT_NO_THROW(session.prefill(some_ids(5)));  // nobody watches any more
  expect_error([&] { measure_importance(session, {}, dir / "imatrix", {}); }, {"at least one token"});
}

}  // namespace
}  // namespace gptj
