// Prompts whose tokens see each other, against what transformers computes with such a mask.

#include <nlohmann/json.hpp>

#include "base/failure.h"
#include "base/file.h"
#include "engine/tiny_models.h"
#include "gptj/generate.h"
#include "model/golden.h"

namespace gptj {
namespace {

using namespace test;

constexpr double kExact = 1e-5, kRounded = 5e-5;  // the golden has five decimals

TEST(PrefixLm, AgreesWithTheReference) {
  const auto golden = nlohmann::json::parse(read_text_file(GPTJ_TEST_DATA "/prefix.json", 1 << 20));
  for (const auto& [name, expected] : golden.items()) {
    SCOPED_TRACE(name);
    const Model model(GPTJ_TEST_DATA "/golden/" + name);
    const auto ids = expected["ids"].get<std::vector<int>>();
    const auto n_prompt = expected["n_prompt"].get<size_t>();
    const auto rows = expected["logits"].get<std::vector<std::vector<float>>>();
    Session session(model, {.kv_type = KvType::f32, .exact = true, .prefix_lm = true});
    const std::span<const float> last = session.prefill(std::span(ids).first(n_prompt));
    EXPECT_LT(relative_error({last.begin(), last.end()}, rows[0]), kExact + kRounded);
    for (size_t i = n_prompt; i < ids.size(); ++i) {
      const std::span<const float> logits = session.decode(ids[i]);
      EXPECT_LT(relative_error({logits.begin(), logits.end()}, rows[i - n_prompt + 1]), kExact + kRounded);
    }
  }
}

TEST(PrefixLm, APromptMustFitTheBatch) {
  const TemporaryDirectory directory;
  const Model model(write_tiny(directory, "gptj", DType::f16));
  Session session(model, {.n_batch = 8, .prefix_lm = true});
  expect_error([&] { session.prefill(some_ids(9)); }, {"prompt", "at most 8 tokens", "batch", "found 9"});
  EXPECT_FALSE(session.prefill(some_ids(8)).empty());
}

}  // namespace
}  // namespace gptj
