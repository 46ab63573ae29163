// Hidden states and other intermediates, as sessions show them.

#include "gptj/embed.h"

#include <cstring>
#include <filesystem>
#include <limits>

#include "base/failure.h"
#include "engine/tiny_models.h"
#include "gptj/intermediates.h"
#include "measure/research_golden.h"
#include "model/golden.h"

namespace gptj {
namespace {

using namespace test;

constexpr double kExact = 1e-5;  // as in tests/model/golden_test.cpp
constexpr float kNotANumber = std::numeric_limits<float>::quiet_NaN();

std::vector<float> embedded(Session& session, std::span<const int> ids, Pooling pooling) {
  std::vector<float> rows;
  embed(session, ids, pooling, [&](std::span<const float> row) { append(rows, row); });
  return rows;
}

TEST(Embed, IsWhatTheReferenceFinds) {
  for (const auto& golden : research_goldens()) {
    SCOPED_TRACE(golden["model"].dump());
    const Model model(research_model(golden));
    Session session(model, {.kv_type = KvType::f32, .exact = true});
    const auto& e = golden["embeddings"];
    const std::vector<int> ids = model.tokenizer().encode(e["text"].get<std::string>());
    EXPECT_LT(relative_error(embedded(session, ids, Pooling::mean), e["mean"]), kExact);
    EXPECT_LT(relative_error(embedded(session, ids, Pooling::last), e["last"]), kExact);
  }
}

TEST(Embed, PoolsTheRowsOfAllTokens) {
  const TemporaryDirectory directory;
  const Model model(write_tiny(directory, "gpt2", DType::f16));
  Session session(model, {.n_batch = 7});
  const std::vector<int> ids = some_ids(50);
  session.prefill(ids);  // what was there before does not count
  const std::vector<float> all = embedded(session, ids, Pooling::none);
  ASSERT_EQ(all.size(), 50U * 96U);
  EXPECT_EQ(embedded(session, ids, Pooling::last), std::vector<float>(all.end() - 96, all.end()));
  const std::vector<float> mean = embedded(session, ids, Pooling::mean);
  ASSERT_EQ(mean.size(), 96U);
  for (size_t i = 0; i < mean.size(); ++i) {
    double sum = 0;
    for (size_t token = 0; token < 50; ++token) sum += all[token * 96 + i];
    EXPECT_EQ(mean[i], static_cast<float>(sum / 50));
  }
  expect_error([&] { embedded(session, {}, Pooling::mean); }, {"at least one token"});
  expect_error([&] { embedded(session, some_ids(81), Pooling::last); }, {"context full", "found 81"});
}

TEST(Embed, EvaluatesNoHead) {
  const TemporaryDirectory directory;
  GgmlFile file = ggml_gptj(kTinyShape, DType::f16);
  std::memcpy(file.tensor("lm_head.bias").data.data(), &kNotANumber, sizeof kNotANumber);
  const Model model(directory.file("no_head.bin", file.bytes()), {.n_threads = 1});
  Session session(model, {.n_threads = 1});
  const std::vector<int> ids = some_ids(5);
  expect_error([&] { session.prefill(ids); }, {"logits are not finite"});
  for (const Pooling pooling : {Pooling::mean, Pooling::last, Pooling::none}) {
    EXPECT_EQ(embedded(session, ids, pooling).size(), pooling == Pooling::none ? 5U * 96U : 96U);
  }
}

TEST(Intermediates, AreWhatTheReferenceFinds) {
  int n_compared = 0;
  for (const auto& golden : research_goldens()) {
    if (!golden.contains("intermediates")) continue;
    const Model model(research_model(golden));
    Session session(model, {.n_batch = 2, .kv_type = KvType::f32, .exact = true});
    std::map<std::string, std::vector<float>, std::less<>> found;
    session.watch([&](const Intermediate& seen) {
      for (int token = 0; token < seen.n_tokens; ++token)
        append(found[std::string(seen.name)], seen.row(token));
    });
    session.prefill(golden["intermediates"]["ids"].get<std::vector<int>>());
    for (const auto& [name, values] : golden["intermediates"]["values"].items()) {
      EXPECT_LT(relative_error(found[name], values), kExact) << golden["model"] << name;
      ++n_compared;
    }
  }
  EXPECT_EQ(n_compared, 11);
}

TEST(Intermediates, NothingIsSeenAfterTheEnd) {
  const TemporaryDirectory directory;
  const Model model(write_tiny(directory, "gpt2", DType::f16));
  Session session(model);
  int n_seen = 0;
  session.watch([&](const Intermediate&) { ++n_seen; });
  session.decode(1);
  EXPECT_EQ(n_seen, 2 + 6 * 2);  // "embed", "ln_f", and of each layer six
  session.watch({});
  session.decode(1);
  EXPECT_EQ(n_seen, 2 + 6 * 2);
}

TEST(Intermediates, TheDirectoryAppearsWhenItIsComplete) {
  const TemporaryDirectory directory;
  const std::string path = directory / "dump";
  const std::vector<float> values = {1, 2, 3, 4, 5, 6};
  {
    IntermediatesWriter writer(path, 3);
    writer.add({"h.0", 2, 2, values.data(), 2});
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
  IntermediatesWriter writer(path, 3);
  writer.add({"h.0", 2, 2, values.data(), 2});
  writer.add({"h.1", 3, 1, values.data(), 2});
  writer.add({"h.0", 1, 2, values.data() + 4, 2});
  EXPECT_EQ(writer.finish(), 2U);
  const std::string file = read_text_file(path + "/h.0.npy", 1 << 10);
  EXPECT_EQ(file.substr(file.size() - sizeof(float) * values.size()),
            std::string(reinterpret_cast<const char*>(values.data()), sizeof(float) * values.size()));
  expect_error([&] { IntermediatesWriter again(path, 3); }, {path});
}

}  // namespace
}  // namespace gptj
