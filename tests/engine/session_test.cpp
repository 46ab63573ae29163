#include "gptj/session.h"

#include <cmath>
#include <cstring>

#include "base/failure.h"
#include "engine/tiny_models.h"

namespace gptj {
namespace {

using namespace test;

class SessionTest : public testing::Test {
 protected:
  SessionTest() : model_(write_tiny(directory_, "gptj", DType::f16), {.n_threads = 2}) {}

  TemporaryDirectory directory_;
  Model model_;
};

TEST_F(SessionTest, PrefillGivesTheLogitsAfterTheLastToken) {
  const std::vector<int> ids = some_ids(50);
  const Logits all = evaluate(model_, {}, ids, ids.size());
  ASSERT_EQ(all.size(), 50U * 300);
  for (const int n_batch : {1, 7, 50}) {
    Session session(model_, {.n_batch = n_batch});
    const std::span<const float> last = session.prefill(ids);
    EXPECT_EQ(Logits(last.begin(), last.end()), Logits(all.end() - 300, all.end()));
    EXPECT_EQ(session.n_past(), 50);
  }
}

TEST_F(SessionTest, LogitsDependOnTheTokensBefore) {
  const std::vector<int> ids = {1, 2, 3}, others = {4, 2, 3};
  const Logits a = evaluate(model_, {}, ids, 3), b = evaluate(model_, {}, others, 3);
  for (size_t token = 0; token < 3; ++token) {
    EXPECT_NE(Logits(a.begin() + static_cast<ptrdiff_t>(token * 300),
                     a.begin() + static_cast<ptrdiff_t>(token * 300 + 300)),
              Logits(b.begin() + static_cast<ptrdiff_t>(token * 300),
                     b.begin() + static_cast<ptrdiff_t>(token * 300 + 300)))
        << token;
  }
}

TEST_F(SessionTest, WhatIsTruncatedIsForgotten) {
  const std::vector<int> ids = some_ids(30), others = {9, 8, 7, 6, 5};
  const Logits expected = evaluate(model_, {}, ids, 12);
  Session session(model_, {});
  session.prefill(std::span(ids).first(12));
  session.prefill(others);
  session.decode(4);
  EXPECT_EQ(session.n_past(), 18);
  session.truncate(12);
  EXPECT_EQ(session.n_past(), 12);
  Logits again;
  for (const int id : std::span(ids).subspan(12)) append(again, session.decode(id));
  EXPECT_EQ(again, Logits(expected.begin() + 12 * 300, expected.end()));

  session.truncate(100);  // there is nothing to forget
  EXPECT_EQ(session.n_past(), 30);
  session.truncate(-1);
  EXPECT_EQ(session.n_past(), 0);
  EXPECT_EQ(evaluate(session, ids, 12), expected);
}

TEST_F(SessionTest, AContextThatIsFullIsAnError) {
  Session session(model_, {.n_ctx = 8});
  EXPECT_EQ(session.n_ctx(), 8);
  const std::vector<int> ids = some_ids(9);
  expect_error([&] { session.prefill(ids); }, {"context full", "at most 8 more tokens", "found 9"});
  EXPECT_EQ(session.n_past(), 0);
  session.prefill(std::span(ids).first(7));
  session.decode(1);
  expect_error([&] { session.decode(1); }, {"context full", "at most 0 more tokens (context 8), found 1"});
  EXPECT_EQ(session.n_past(), 8);
  session.truncate(7);
  session.decode(1);
}

TEST_F(SessionTest, TokensThatDoNotExistAreErrorsAndChangeNothing) {
  Session session(model_, {});
  const std::vector<int> good = {1, 2, 3};
  session.prefill(good);
  for (const int id : {-1, 300, 1 << 30}) {
    const std::vector<int> ids = {1, 2, id, 3};
    const std::vector<std::string> words = {"token id", "0 to 299", "found " + std::to_string(id)};
    expect_error([&] { session.prefill(ids); }, words);
    expect_error([&] { session.prefill_each(ids, [](int, std::span<const float>) { FAIL(); }); }, words);
    expect_error([&] { session.decode(id); }, words);
    EXPECT_EQ(session.n_past(), 3);
  }
}

TEST_F(SessionTest, LogitsThatAreNoNumbersAreErrors) {
  for (const float wrong : {NAN, INFINITY, -INFINITY}) {
    GgmlFile file = ggml_gptj(kTinyShape, DType::f16);
    std::memcpy(file.tensor("lm_head.bias").data.data() + 200 * sizeof wrong, &wrong, sizeof wrong);
    const Model model(directory_.file("damaged.bin", file.bytes()), {.n_threads = 1});
    Session session(model, {.n_threads = 1});
    const std::vector<std::string> words = {"logits are not finite", "damaged"};
    const std::vector<int> ids = {1, 2};
    expect_error([&] { session.prefill(ids); }, words);
    expect_error([&] { session.prefill_each(ids, [](int, std::span<const float>) { FAIL(); }); }, words);
    expect_error([&] { session.decode(1); }, words);
  }
}

TEST_F(SessionTest, APromptCanBeCancelledBeforeEveryLayer) {
  const std::vector<int> ids = some_ids(50);
  const Logits all = evaluate(model_, {}, ids, ids.size());
  for (const int after : {0, 1, 2, 3, 5}) {  // two layers, batches of 20, 20 and 10 tokens
    Session session(model_, {.n_batch = 20});
    EXPECT_EQ(session.n_batch(), 20);
    int asked = 0;
    EXPECT_TRUE(session.prefill(ids, [&] { return asked++ == after; }).empty());
    EXPECT_EQ(session.n_past(), after / 2 * 20);
    const std::span<const float> last =  // as if nothing had been
        session.prefill(std::span(ids).subspan(static_cast<size_t>(session.n_past())), [] { return false; });
    EXPECT_EQ(Logits(last.begin(), last.end()), Logits(all.end() - 300, all.end()));
  }
}

TEST_F(SessionTest, AnEmptyPromptHasNoLogits) {
  Session session(model_, {});
  expect_error([&] { session.prefill({}); }, {"prompt", "at least 1 token"});
  session.prefill_each({}, [](int, std::span<const float>) { FAIL(); });
}

TEST_F(SessionTest, OptionsOutOfRangeAreErrors) {
  struct {
    SessionOptions options;
    std::vector<std::string> words;
  } const cases[] = {
      {{.n_ctx = 81}, {"context size", "1 to 80", "found 81"}},
      {{.n_ctx = -1}, {"context size", "found -1"}},
      {{.n_threads = -1}, {"threads", "found -1"}},
      {{.n_threads = 100000}, {"threads", "found 100000"}},
      {{.n_batch = 0}, {"batch size", "found 0"}},
      {{.n_batch = -5}, {"batch size", "found -5"}},
  };
  for (const auto& [options, words] : cases) {
    expect_error([&, &o = options] { Session session(model_, o); }, words);
    expect_error([&, &o = options] { session_memory(model_.info(), o); }, words);
  }
}

TEST_F(SessionTest, DefaultsComeFromModelAndMachine) {
  const Session session(model_);
  EXPECT_EQ(session.n_ctx(), 80);
  EXPECT_GE(session.n_threads(), 1);
  EXPECT_EQ(session.n_past(), 0);
}

TEST_F(SessionTest, MemoryGrowsWithWhatAsksForIt) {
  const ModelInfo& info = model_.info();
  const SessionMemory f16 = session_memory(info, {.n_threads = 2}),
                      f32 = session_memory(info, {.n_threads = 2, .kv_type = KvType::f32});
  // [2 layers][4 heads][80 tokens, in pages of 64] of 24 dimensions, those of values padded to 32; with a scale each
  EXPECT_EQ(f16.kv_cache, 2U * 4 * 128 * (24 + 32) * sizeof(uint16_t));
  EXPECT_EQ(f32.kv_cache, 2 * f16.kv_cache);
  EXPECT_EQ(f32.scratch, f16.scratch);
  EXPECT_EQ(session_memory(info, {.n_threads = 2, .kv_type = KvType::int8}).kv_cache,
            f16.kv_cache / 2 + 2U * 4 * 128 * 2 * sizeof(float));
  // Less than a page comes in panels of 16.
  EXPECT_EQ(session_memory(info, {.n_ctx = 40, .n_threads = 2}).kv_cache, f16.kv_cache / 128 * 48);
  EXPECT_LT(session_memory(info, {.n_threads = 2, .n_batch = 1}).scratch, f16.scratch);
  EXPECT_GT(session_memory(info, {.n_threads = 9}).scratch, f16.scratch);
}

}  // namespace
}  // namespace gptj
