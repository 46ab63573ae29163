// Context shift: tokens in the middle are forgotten, and those behind them move to the front.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/failure.h"
#include "engine/tiny_models.h"
#include "gptj/generate.h"
#include "model/golden.h"
#include "sampling/sampling.h"

namespace gptj {
namespace {

using namespace test;

/// Without the tokens [begin, end).
std::vector<int> without(std::vector<int> ids, int begin, int end) {
  ids.erase(ids.begin() + begin, ids.begin() + end);
  return ids;
}

Logits logits_after(Session& session, std::span<const int> ids) {
  Logits out;
  for (const int id : ids) append(out, session.decode(id));
  return out;
}

class Shift : public testing::Test {
 protected:
  /// One layer that looks closely: with queries and results of attention ten times those of other tiny models, positions of
  /// keys decide what becomes of a token.
  Model attentive() const {
    ModelShape shape = kTinyShape;
    shape.n_layer = 1;
    shape.n_ctx = 320;
    GgmlFile file = ggml_gptj(shape, DType::f32);
    for (const char* name : {"transformer.h.0.attn.q_proj.weight", "transformer.h.0.attn.out_proj.weight"}) {
      std::string& data = file.tensor(name).data;
      std::vector<float> values(data.size() / sizeof(float));
      std::memcpy(values.data(), data.data(), data.size());
      for (float& value : values) value *= 10;
      std::memcpy(data.data(), values.data(), data.size());
    }
    return Model(directory_.file("attentive.bin", file.bytes()), {.n_threads = 2});
  }

  Model tiny(std::string_view architecture, int n_ctx = kTinyShape.n_ctx) const {
    ModelShape shape = kTinyShape;
    shape.n_ctx = n_ctx;
    return Model(write_tiny(directory_, architecture, DType::f16, shape), {.n_threads = 2});
  }

  TemporaryDirectory directory_;
};

/// In the first layer keys and values depend on nothing but token and position, so that a model of one layer must be, but
/// for rounding, where it would be if it had never seen what was forgotten. Rotated keys are rounded to the cache's numbers
/// twice, so the bounds are some of its steps. (Keys that are not rotated at all are at 1.6e-4 to 1.6e-3.)
TEST_F(Shift, OfOneLayerIsAFreshEvaluation) {
  constexpr double kRounded[kNumKvTypes] = {5e-6, 1e-6, 6e-5};  // index: KvType
  constexpr struct {
    int n, begin, end;
  } kCases[] = {{40, 0, 20},   {40, 3, 4},      {40, 5, 40}, {300, 7, 250},
                {300, 1, 257}, {300, 256, 272}, {17, 1, 16}};
  const Model model = attentive();
  const std::vector<int> next = {9, 8, 7};
  for (int type = 0; type < kNumKvTypes; ++type) {
    for (const auto& [n, begin, end] : kCases) {
      SCOPED_TRACE(fmt::format("{} {} {} {}", kKvTypeNames[type], n, begin, end));
      const std::vector<int> ids = some_ids(n), rest = without(ids, begin, end);
      std::vector<Logits> found;
      for (const int n_threads : {1, 3}) {
        const SessionOptions options{
            .n_threads = n_threads, .kv_type = static_cast<KvType>(type), .exact = true};
        Session shifted(model, options), fresh(model, options);
        shifted.prefill(ids);
        shifted.shift(begin, end);
        const std::span<const int> held = shifted.tokens();
        EXPECT_EQ(std::vector<int>(held.begin(), held.end()), rest);
        fresh.prefill(rest);
        found.push_back(logits_after(shifted, next));
        EXPECT_LT(relative_error(found.back(), logits_after(fresh, next)), kRounded[type]);
      }
      EXPECT_EQ(found[0], found[1]);
    }
  }
}

TEST_F(Shift, OfSeveralLayersKeepsWhatTheTokensHaveLearned) {
  const Model model = tiny("gptj");
  const std::vector<int> ids = some_ids(40), next = {9};
  const SessionOptions options{.kv_type = KvType::f32, .exact = true};
  Session shifted(model, options), fresh(model, options), whole(model, options);
  shifted.prefill(ids);
  shifted.shift(4, 20);
  fresh.prefill(without(ids, 4, 20));
  whole.prefill(ids);
  const Logits found = logits_after(shifted, next);
  const double to_fresh = relative_error(found, logits_after(fresh, next));
  EXPECT_GT(to_fresh, 1e-5);  // not what a fresh evaluation gives
  EXPECT_LT(to_fresh, 0.2);   // but near
}

/// Shifting several times is shifting once.
TEST_F(Shift, CanBeRepeated) {
  const Model model = attentive();
  const std::vector<int> ids = some_ids(60), next = {9, 5};
  const SessionOptions options{.kv_type = KvType::f32};
  Session once(model, options), often(model, options);
  once.prefill(ids);
  once.shift(3, 33);
  often.prefill(ids);
  for (int i = 0; i < 10; ++i) often.shift(3, 6);
  EXPECT_LT(relative_error(logits_after(often, next), logits_after(once, next)), 1e-6);
}

TEST_F(Shift, OfNothingChangesNothing) {
  const Model model = tiny("gptj");
  const std::vector<int> ids = some_ids(40), next = {9, 5};
  for (int type = 0; type < kNumKvTypes; ++type) {
    const SessionOptions options{.kv_type = static_cast<KvType>(type)};
    Session session(model, options), other(model, options);
    session.prefill(ids);
    other.prefill(ids);
    session.shift(40, 40);
    EXPECT_EQ(logits_after(session, next), logits_after(other, next));
  }
}

TEST_F(Shift, OfAllIsAnEmptySession) {
  const Model model = tiny("gptj");
  const std::vector<int> next = {9, 5};
  Session session(model), fresh(model);
  session.prefill(some_ids(80));  // the whole context
  session.shift(0, 80);
  EXPECT_EQ(session.n_past(), 0);
  EXPECT_EQ(logits_after(session, next), logits_after(fresh, next));
}

TEST_F(Shift, LeavesSequencesThatShareItsPagesAsTheyAre) {
  const Model model = tiny("gptj", 320);
  const std::vector<int> ids = some_ids(300), next = {9, 5};
  for (int type = 0; type < kNumKvTypes; ++type) {
    const SessionOptions options{.n_sequences = 3, .kv_type = static_cast<KvType>(type)};
    Session session(model, options), alone(model, options);
    session.prefill(ids);
    session.fork(0, 1);
    session.fork(0, 2);
    session.shift(10, 200, 1);
    EXPECT_EQ(session.n_past(0), 300);
    EXPECT_EQ(session.n_past(1), 110);
    alone.prefill(ids);
    EXPECT_EQ(logits_after(session, next), logits_after(alone, next));
    session.fork(2, 0);
    alone.truncate(300);
    EXPECT_EQ(logits_after(session, next), logits_after(alone, next));
    session.fork(1, 0);
    alone.truncate(300);
    alone.shift(10, 200);
    EXPECT_EQ(logits_after(session, next), logits_after(alone, next));
  }
}

TEST_F(Shift, NeedsRotaryPositions) {
  const Model model = tiny("gpt2");
  Session session(model);
  session.prefill(some_ids(10));
  EXPECT_FALSE(session.can_shift());
  expect_error([&] { session.shift(1, 5); }, {"context shift", "rotary"});
  EXPECT_EQ(session.n_past(), 10);
}

/// Text without an end in a context of 24 tokens.
class EndlessText : public Shift {
 protected:
  static constexpr int kContext = 24;

  /// The logits of every token that was drawn, and the session at the end.
  GenerateResult run(const Model& model, Session& session, int n_keep, int n_predict,
                     Logits* seen = nullptr) {
    Sampler sampler(sampling({{"top-k", 0}, {"ignore-eos", 1}}), model.tokenizer(), model.info().n_vocab);
    GenerateCallbacks callbacks;
    callbacks.token = [&](int, std::span<const float> logits) {
      if (seen != nullptr) append(*seen, logits);
    };
    return generate(model, session, sampler, some_ids(10, 256),
                    {.n_predict = n_predict, .shift = true, .n_keep = n_keep}, callbacks);
  }
};

TEST_F(EndlessText, GoesThroughThreeContextsAndStaysFinite) {
  for (const std::string_view architecture : {"gptj", "gpt2"}) {
    const Model model = tiny(architecture);
    for (int type = 0; type < kNumKvTypes; ++type) {
      Logits expected;
      for (const int n_threads : {1, 3}) {
        SCOPED_TRACE(fmt::format("{} {} {} threads", architecture, kKvTypeNames[type], n_threads));
        Session session(model,
                        {.n_ctx = kContext, .n_threads = n_threads, .kv_type = static_cast<KvType>(type)});
        Logits seen;
        const GenerateResult result = run(model, session, 4, 4 * kContext, &seen);
        EXPECT_EQ(result.reason, StopReason::length);
        EXPECT_EQ(result.n_generated, 4 * kContext);
        EXPECT_LE(session.n_past(), kContext);
        EXPECT_TRUE(std::all_of(seen.begin(), seen.end(), [](float x) { return std::isfinite(x); }));
        if (expected.empty()) expected = seen;
        EXPECT_EQ(seen, expected);
      }
    }
  }
}

TEST_F(EndlessText, KeepsItsBeginning) {
  const Model model = tiny("gptj");
  for (const int n_keep : {0, 1, 5, 10, 23, 24, 1000}) {
    SCOPED_TRACE(n_keep);
    Session session(model, {.n_ctx = kContext});
    const GenerateResult result = run(model, session, n_keep, 60);
    EXPECT_EQ(result.n_generated, 60);
    const int kept = std::min(n_keep, kContext - 1), n_past = session.n_past();
    const std::span<const int> held = session.tokens();
    const std::vector<int>& all = result.tokens;
    EXPECT_TRUE(std::equal(held.begin(), held.begin() + kept, all.begin()));
    // Behind it are the last ones, but for that which was drawn last.
    EXPECT_TRUE(std::equal(held.begin() + kept, held.end(), all.end() - 1 - (n_past - kept)));
  }
}

TEST_F(EndlessText, WithLearnedPositionsIsEvaluatedAgain) {
  const Model model = tiny("gpt2");
  for (const int n_keep : {0, 4}) {
    Session session(model, {.n_ctx = kContext});
    // The first shift comes with the token after the first one that has no room.
    const GenerateResult result = run(model, session, n_keep, kContext - 10 + 2);
    const int forgotten = n_keep + (kContext - n_keep + 1) / 2;
    std::vector<int> rest(result.tokens.begin(), result.tokens.begin() + n_keep);
    rest.insert(rest.end(), result.tokens.begin() + forgotten, result.tokens.end() - 1);
    const std::span<const int> held = session.tokens();
    ASSERT_EQ(std::vector<int>(held.begin(), held.end()), rest);

    // What was drawn after it was decoded. What was kept is as it was, the rest was read as a prompt.
    Session fresh(model, {.n_ctx = kContext});
    if (n_keep > 0) fresh.prefill(std::span(rest).first(static_cast<size_t>(n_keep)));
    fresh.prefill(std::span(rest).first(rest.size() - 1).subspan(static_cast<size_t>(n_keep)));
    fresh.decode(rest.back());
    const std::vector<int> next = {9, 5};
    EXPECT_EQ(logits_after(session, next), logits_after(fresh, next));
  }
}

}  // namespace
}  // namespace gptj
