// What was saved goes on as if it had never stopped.

#include "gptj/session_file.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/sanitized.h"
#include "engine/session_files.h"
#include "gptj/generate.h"
#include "sampling/sampling.h"

namespace gptj {
namespace {

using namespace test;

class SessionFile : public testing::Test {
 protected:
  std::string path() const { return directory_ / "a.session"; }
  ptrdiff_t n_files() const {
    return std::distance(std::filesystem::directory_iterator(directory_.path()), {});
  }
  Model tiny(std::string_view architecture, DType dtype = DType::f16, int n_ctx = kTinyShape.n_ctx) const {
    ModelShape shape = kTinyShape;
    shape.n_ctx = n_ctx;
    return Model(write_tiny(directory_, architecture, dtype, shape), {.n_threads = 2});
  }

  TemporaryDirectory directory_;
};

TEST_F(SessionFile, GoesOnToTheSameBits) {
  for (const std::string_view architecture : {"gptj", "gpt2"}) {
    const Model model = tiny(architecture, DType::q4_0);
    for (int type = 0; type < kNumKvTypes; ++type) {
      for (const bool exact : {false, true}) {
        for (const int n_tokens : {1, 15, 16, 33}) {
          SCOPED_TRACE(
              fmt::format("{} {} exact {} tokens {}", architecture, kKvTypeNames[type], exact, n_tokens));
          const SessionOptions options{.n_threads = 1, .kv_type = static_cast<KvType>(type), .exact = exact};
          Saved saved(model, path(), options, n_tokens);
          const Logits expected = go_on(saved.session);
          for (const int n_threads : {1, 3}) {
            SessionOptions others = options;
            others.n_threads = n_threads;
            others.n_batch = n_threads == 1 ? 512 : 3;
            Session session(model, others);
            EXPECT_EQ(load_session(session, path()), n_tokens);
            const std::span<const int> held = session.tokens();
            EXPECT_EQ(std::vector<int>(held.begin(), held.end()), some_ids(n_tokens));
            EXPECT_EQ(go_on(session), expected);
          }
        }
      }
    }
  }
}

TEST_F(SessionFile, HasAllPages) {
  const int n_tokens = kSanitized ? 320 : 700;
  const Model model = tiny("gptj", DType::f16, n_tokens + 20);
  for (const KvType type : {KvType::f16, KvType::int8}) {
    Saved saved(model, path(), {.n_sequences = 2, .kv_type = type}, n_tokens);
    saved.session.fork(0, 1);
    saved.session.truncate(0);
    Session session(model, {.n_sequences = 3, .kv_type = type});
    session.prefill(some_ids(300));  // is forgotten
    session.fork(0, 2);
    EXPECT_EQ(load_session(session, path()), n_tokens);
    saved.session.fork(1, 0);
    EXPECT_EQ(go_on(session), go_on(saved.session));
    EXPECT_EQ(session.n_past(2), 300);  // what shared its pages stays
    session.fork(2, 0);
    Session other(model, {.kv_type = type});
    other.prefill(some_ids(300));
    EXPECT_EQ(go_on(session), go_on(other));
  }
}

TEST_F(SessionFile, HoldsOnlyTheTokensThatThereAre) {
  const Model model = tiny("gptj");
  const Saved saved(model, path(), {.kv_type = KvType::int8}, 21);
  // [2 layers][4 heads] of 24 dimensions and a scale, of keys and of values; two panels
  const uint64_t kv = 21U * 2 * 4 * 2 * (24 + sizeof(float)) + 2 * sizeof(uint32_t);
  EXPECT_EQ(std::filesystem::file_size(path()), sizeof(SessionStart) + 21 * sizeof(int32_t) + kv);
  const std::string before = bytes_of(path());
  save_session(saved.session, path());
  EXPECT_EQ(bytes_of(path()), before);  // nothing in it is left to chance
}

TEST_F(SessionFile, AnEmptySessionCanBeSaved) {
  const Model model = tiny("gpt2");
  const std::vector<int> pending = {5, 6};
  save_session(Session(model), path(), pending);
  const SessionTokens tokens = read_session_tokens(path());
  EXPECT_EQ(tokens.ids, pending);
  EXPECT_EQ(tokens.n_pending, 2);
  Session session(model);
  session.prefill(some_ids(3));
  EXPECT_EQ(load_session(session, path()), 0);
  EXPECT_EQ(session.n_past(), 0);
}

TEST_F(SessionFile, IsUsedAsFarAsItFitsTheContext) {
  const Model model = tiny("gptj");
  for (const int n_ctx : {1, 16, 40, 49}) {
    Saved saved(model, path(), {}, 50);
    Session session(model, {.n_ctx = n_ctx});
    EXPECT_EQ(load_session(session, path()), n_ctx);
    session.truncate(n_ctx - 1);
    saved.session.truncate(n_ctx - 1);
    Logits a, b;
    append(a, session.decode(9));
    append(b, saved.session.decode(9));
    EXPECT_EQ(a, b);
  }
}

TEST_F(SessionFile, IsUsedAsFarAsItIsTheTextsBeginning) {
  const Model model = tiny("gptj");
  const Saved saved(model, path(), {}, 40);
  std::vector<int> text = some_ids(40);
  Session session(model);
  EXPECT_EQ(load_session(session, path(), text), 40);
  EXPECT_EQ(load_session(session, path(), std::span(text).first(7)), 7);
  text[18] ^= 1;
  EXPECT_EQ(load_session(session, path(), text), 18);
  EXPECT_EQ(session.n_past(), 18);
  Session whole(model);
  whole.prefill(std::span(text).first(18));
  Logits a, b;
  append(a, session.prefill(std::span(text).subspan(18)));
  append(b, whole.prefill(std::span(text).subspan(18)));
  EXPECT_EQ(a, b);
  text[0] ^= 1;
  EXPECT_EQ(load_session(session, path(), text), 0);
}

TEST_F(SessionFile, IsTheSameForTheSameWeightsInAnotherFile) {
  const Model model = tiny("gptj");
  const Saved saved(model, path(), {}, 20);
  std::filesystem::rename(directory_ / "gptj.bin", directory_ / "moved.bin");
  const Model moved(directory_ / "moved.bin", {.n_threads = 1});
  Session session(moved);
  EXPECT_EQ(load_session(session, path()), 20);
}

TEST_F(SessionFile, AfterAShift) {
  const Model model = tiny("gptj");
  Saved saved(model, path(), {}, 60);
  saved.session.shift(4, 30);
  save_session(saved.session, path());
  Session session(model);
  EXPECT_EQ(load_session(session, path()), 34);
  EXPECT_EQ(go_on(session), go_on(saved.session));
}

Sampler greedy(const Model& model) {
  return Sampler(sampling({{"temp", 0}, {"ignore-eos", 1}}), model.tokenizer(), model.info().n_vocab);
}

/// The text of a first call of generate(), and what a second one adds to it.
struct TwoCalls {
  std::vector<int> first, second;
};

/// Ends the text, and goes on with a new session from a file if there is a path.
TwoCalls in_two(const Model& model, const SessionOptions& options, GenerateOptions generating,
                const std::string& path) {
  Sampler sampler = greedy(model);
  Session session(model, options);
  generating.n_predict = 20;
  const GenerateResult first = generate(model, session, sampler, some_ids(11, 256), generating, {});
  EXPECT_TRUE(first.pending);
  save_session(session, path, std::span(first.tokens).last(1));

  const SessionTokens saved = read_session_tokens(path);
  EXPECT_EQ(saved.n_pending, 1);
  Session other(model, options);
  load_session(other, path, saved.ids);
  generating.n_predict = 30;
  generating.continues = true;
  const GenerateResult second = generate(model, other, sampler, saved.ids, generating, {});
  EXPECT_EQ(second.n_reused, static_cast<int>(saved.ids.size()));
  EXPECT_EQ(second.n_evaluated, second.n_generated);
  EXPECT_TRUE(second.pending);
  return {first.tokens, {second.tokens.begin() + second.n_prompt, second.tokens.end()}};
}

TEST_F(SessionFile, ATextGoesOnAsIfItHadNeverEnded) {
  for (const std::string_view architecture : {"gptj", "gpt2"}) {
    for (const DType dtype : {DType::f16, DType::q4_0}) {
      const Model model = tiny(architecture, dtype);
      for (int type = 0; type < kNumKvTypes; ++type) {
        for (const bool shift : {false, true}) {
          SCOPED_TRACE(fmt::format("{} {} shift {}", architecture, kKvTypeNames[type], shift));
          // With a shift, the context is full at the first end.
          const SessionOptions options{
              .n_ctx = shift ? 30 : 80, .n_threads = 2, .kv_type = static_cast<KvType>(type)};
          Sampler sampler = greedy(model);
          Session session(model, options);
          const GenerateOptions generating{.stop_at_eos = false, .shift = shift, .n_keep = 3};
          GenerateOptions whole = generating;
          whole.n_predict = 50;
          const GenerateResult expected = generate(model, session, sampler, some_ids(11, 256), whole, {});
          TwoCalls calls = in_two(model, options, generating, path());
          calls.first.insert(calls.first.end(), calls.second.begin(), calls.second.end());
          EXPECT_EQ(calls.first, expected.tokens);
        }
      }
    }
  }
}

TEST_F(SessionFile, ATextThatWasReadBothWaysGoesOn) {
  const Model model = tiny("gptj");
  const SessionOptions options{.prefix_lm = true};
  Sampler sampler = greedy(model);
  Session session(model, options);
  const GenerateResult expected = generate(model, session, sampler, some_ids(11, 256), {.n_predict = 50}, {});
  TwoCalls calls = in_two(model, options, {}, path());
  calls.first.insert(calls.first.end(), calls.second.begin(), calls.second.end());
  EXPECT_EQ(calls.first, expected.tokens);
}

TEST_F(SessionFile, GoingOnWhereTheContextIsFullEnds) {
  const Model model = tiny("gptj");
  Sampler sampler = greedy(model);
  Session session(model, {.n_ctx = 20});
  GenerateResult result = generate(model, session, sampler, some_ids(11, 256), {.n_predict = -1}, {});
  EXPECT_EQ(result.reason, StopReason::context_full);
  EXPECT_TRUE(result.pending);
  ASSERT_EQ(result.tokens.size(), 21U);
  const std::vector<int> text = result.tokens;
  expect_error([&] { generate(model, session, sampler, text, {.continues = true}, {}); },
               {"prompt", "at most 20 tokens", "found 21"});
  result = generate(model, session, sampler, text, {.n_predict = 0, .shift = true, .continues = true}, {});
  EXPECT_EQ(result.n_generated, 0);
  EXPECT_FALSE(result.pending);  // it was evaluated, and nothing was drawn
  EXPECT_EQ(session.n_past(), 11);
}

TEST_F(SessionFile, ReplacesNoOtherFile) {
  const Model model = tiny("gptj");
  const Session session(model);
  for (const std::string& other : {std::string("\x93gptj\r\n\x1a and weights", 20), std::string("x")}) {
    const std::string file = directory_.file("other", other);
    const auto n = n_files();
    expect_error([&] { save_session(session, file); }, {file, "expected a session file", "another file"});
    expect_error([&] { SessionLock lock(file); }, {file, "expected a session file", "another file"});
    EXPECT_EQ(bytes_of(file), other);
    EXPECT_EQ(n_files(), n);
  }
  for (const std::string& ours : {std::string(), std::string("\x93gpts")}) {  // new, and one that was cut off
    save_session(session, directory_.file("ours", ours));
    EXPECT_EQ(read_session_tokens(directory_ / "ours").ids.size(), 0U);
  }
}

TEST_F(SessionFile, BelongsToOneProgram) {
  {
    const SessionLock lock(path());
    expect_error([&] { SessionLock again(path()); }, {path(), "another program", "wait"});
    EXPECT_EQ(n_files(), 1);
  }
  EXPECT_EQ(n_files(), 0);  // nothing is left
  const SessionLock again(path());
  expect_error([&] { SessionLock nowhere(directory_ / "no/where"); }, {"no/where", "No such file"});
}

}  // namespace
}  // namespace gptj
