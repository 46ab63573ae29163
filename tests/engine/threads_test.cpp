// The same bits for any number of threads, any batch size, and any mixture of prefill and decode.

#include <thread>

#include "base/sanitized.h"
#include "engine/tiny_models.h"
#include "model/each_isa.h"

namespace gptj {
namespace {

using namespace test;

using SameBits = EachIsa;

struct Precision {
  DType dtype;
  KvType kv_type;
  bool exact;
};
constexpr Precision kPrecisions[] = {{DType::f16, KvType::f16, false},
                                     {DType::q4_0, KvType::f16, false},
                                     {DType::q4_0, KvType::f32, true},
                                     {DType::f16, KvType::int8, false},
                                     {DType::q5_1, KvType::f16, false}};

constexpr int kTokens = kSanitized ? 20 : 40;

/// How the tokens are taken.
struct Way {
  int n_threads, n_batch;
  size_t n_prompt;  // the rest are decoded
};

std::vector<Way> ways() {
  if (kSanitized) return {{2, 7, kTokens}, {3, 16, kTokens / 2}};  // the races are the same
  std::vector<Way> all;
  for (const int n_threads : {1, 2, 3, 5}) {
    for (const int n_batch : {1, 7, 16, 512}) all.push_back({n_threads, n_batch, kTokens});
    for (const size_t n_prompt : {size_t{1}, size_t{25}}) all.push_back({n_threads, 7, n_prompt});
  }
  return all;
}

/// As evaluate(), but the generated tokens in passes of three.
Logits evaluate_in_threes(const Model& model, const SessionOptions& options, std::span<const int> ids,
                          size_t n_prompt) {
  Session session(model, options);
  Logits out = evaluate(session, ids.first(n_prompt), n_prompt);
  for (ids = ids.subspan(n_prompt); !ids.empty(); ids = ids.subspan(std::min<size_t>(3, ids.size()))) {
    session.decode_each(ids.first(std::min<size_t>(3, ids.size())),
                        [&](int, std::span<const float> logits) { append(out, logits); });
  }
  return out;
}

/// Every way against one thread that takes one token at a time.
void expect_same_bits(const std::string& architecture) {
  const std::vector<int> ids = some_ids(kTokens);
  for (const Precision& precision : kPrecisions) {
    const TemporaryDirectory directory;
    const std::string path = write_tiny(directory, architecture, precision.dtype);
    const Model model(path, {.n_threads = 1}), loaded_by_many(path, {.n_threads = 3});
    for (const Way& way : ways()) {
      SessionOptions options{
          .n_threads = 1, .n_batch = 1, .kv_type = precision.kv_type, .exact = precision.exact};
      const Logits expected = evaluate(model, options, ids, way.n_prompt);
      SCOPED_TRACE(testing::Message()
                   << info(precision.dtype).name << (options.exact ? " exact: " : ": ") << way.n_threads
                   << " threads, batches of " << way.n_batch << ", " << way.n_prompt << " prompt tokens");
      options.n_threads = way.n_threads;
      options.n_batch = way.n_batch;
      ASSERT_EQ(evaluate(loaded_by_many, options, ids, way.n_prompt), expected);
      ASSERT_EQ(evaluate_in_threes(loaded_by_many, options, ids, way.n_prompt), expected);
    }
  }
}

TEST_F(SameBits, OfGptJ) {
  expect_same_bits("gptj");
}

TEST_F(SameBits, OfGpt2) {
  expect_same_bits("gpt2");
}

TEST_F(SameBits, OfSessionsThatShareAModel) {
  const TemporaryDirectory directory;
  const Model model(write_tiny(directory, "gptj", DType::q4_0), {.n_threads = 2});
  const std::vector<int> ids = some_ids(40);
  const Logits expected = evaluate(model, {.n_threads = 1}, ids, 20);
  std::vector<Logits> found(3);
  std::vector<std::thread> users;
  for (Logits& logits : found) {
    users.emplace_back([&] { logits = evaluate(model, {.n_threads = 2, .n_batch = 16}, ids, 20); });
  }
  for (std::thread& user : users) user.join();
  for (const Logits& logits : found) EXPECT_EQ(logits, expected);
}

}  // namespace
}  // namespace gptj
