#include "gptj/score.h"

#include "base/failure.h"
#include "engine/tiny_models.h"
#include "measure/research_golden.h"

namespace gptj {
namespace {

using namespace test;

TEST(Score, IsWhatTheReferenceFinds) {
  int n_greedy = 0, n_cut = 0;
  for (const auto& golden : research_goldens()) {
    const Model model(research_model(golden));
    Session session(model, {.kv_type = KvType::f32, .exact = true});
    for (const auto& e : golden["scores"]) {
      SCOPED_TRACE(golden["model"].dump() + e["context"].dump() + e["continuation"].dump());
      const Score found = score(session, encode_pair(model.tokenizer(), e["context"].get<std::string>(),
                                                     e["continuation"].get<std::string>()));
      EXPECT_NEAR(found.log_likelihood, e["log_likelihood"].get<double>(), 1e-4);
      EXPECT_EQ(found.is_greedy, e["is_greedy"]);
      EXPECT_EQ(found.n_tokens, e["n_tokens"]);
      EXPECT_EQ(found.n_cut, e["n_cut"]);
      n_greedy += found.is_greedy ? 1 : 0;
      n_cut += found.n_cut > 0 ? 1 : 0;
    }
  }
  EXPECT_GE(n_greedy, 2);
  EXPECT_GE(n_cut, 10);
}

TEST(Score, SpacesOfTheContextBeginTheContinuation) {
  const Tokenizer tokenizer = open_tokenizer(GPTJ_DEMO_MODELS "/gpt-j");
  const auto texts = [&](std::string_view context, std::string_view continuation) {
    const EncodedPair pair = encode_pair(tokenizer, context, continuation);
    return std::pair(tokenizer.decode(pair.context), tokenizer.decode(pair.continuation));
  };
  using Texts = std::pair<std::string, std::string>;
  EXPECT_EQ(texts("int ", "x"), Texts("int", " x"));
  EXPECT_EQ(texts("int", " x"), Texts("int", " x"));
  EXPECT_EQ(texts("a \t\r\n\x1f\xc2\xa0\xe3\x80\x80", "b"), Texts("a",
                                                                  " \t\r\n\x1f\xc2\xa0\xe3\x80\x80"
                                                                  "b"));
  EXPECT_EQ(texts("a\xe2\x80\x8b", "b"), Texts("a\xe2\x80\x8b", "b"));  // of no width, and no space
  EXPECT_EQ(texts("a\xff ", "b"), Texts("a\xff", " b"));
  EXPECT_EQ(encode_pair(tokenizer, "", "x").context, std::vector{*tokenizer.eos()});
  EXPECT_EQ(encode_pair(tokenizer, " \n", "x").context, std::vector{*tokenizer.eos()});
  EXPECT_EQ(encode_pair(tokenizer, " \n", "x").continuation, tokenizer.encode(" \nx"));
  expect_error([&] { encode_pair(tokenizer, "x", ""); }, {"continuation", "at least one token beyond"});
  expect_error([&] { encode_pair(tokenizer, "", ""); }, {"continuation", "at least one token beyond"});
}

class ScoreTest : public testing::Test {
 protected:
  ScoreTest() : model_(write_tiny(directory_, "gptj", DType::f16)), session_(model_, {.n_ctx = 20}) {
    session_.watch(
        [this](const Intermediate& seen) { n_evaluated_ += seen.name == "embed" ? seen.n_tokens : 0; });
  }

  /// By a session of its own.
  double alone(const EncodedPair& pair) const {
    Session session(model_, {.n_ctx = 20});
    return score(session, pair).log_likelihood;
  }

  TemporaryDirectory directory_;
  Model model_;
  Session session_;
  int n_evaluated_ = 0;
};

TEST_F(ScoreTest, AContextIsEvaluatedOnce) {
  const std::vector<int> context = some_ids(10);
  const std::vector<std::vector<int>> continuations = {{7}, {7}, {8, 9}, {8, 9, 10}, {1}};
  int expected = 9;
  for (const std::vector<int>& continuation : continuations) {
    expected += static_cast<int>(continuation.size());  // with the context's last token, without its own
    EXPECT_EQ(score(session_, {context, continuation}).log_likelihood, alone({context, continuation}));
    EXPECT_EQ(n_evaluated_, expected);
  }
  std::vector<int> other = context;
  other[5] = 299;  // five tokens are the same
  EXPECT_EQ(score(session_, {other, {1, 2}}).log_likelihood, alone({other, {1, 2}}));
  EXPECT_EQ(n_evaluated_, expected + 4 + 2);
}

TEST_F(ScoreTest, ALongContextIsCutAndAContinuationNever) {
  const std::vector<int> ids = some_ids(60);
  const std::span all(ids);
  const auto list = [](std::span<const int> of) { return std::vector(of.begin(), of.end()); };
  const Score fits = score(session_, {list(all.first(19)), list(all.subspan(19, 2))});
  EXPECT_EQ(fits.n_cut, 0);  // the last token is not evaluated
  const Score cut = score(session_, {list(all.first(40)), list(all.subspan(40, 5))});
  EXPECT_EQ(cut.n_cut, 24);
  EXPECT_EQ(cut.n_tokens, 5);
  EXPECT_EQ(cut.log_likelihood, alone({list(all.subspan(24, 16)), list(all.subspan(40, 5))}));
  EXPECT_EQ(score(session_, {list(all.first(10)), list(all.first(20))}).n_cut, 9);
  expect_error(
      [&] {
        score(session_, {{1}, list(all.first(21))});
      },
      {"continuation", "at most 20 tokens", "found 21"});
}

TEST_F(ScoreTest, GoesOnAfterAnError) {
  const EncodedPair pair{some_ids(5), {3, 4}};
  const double expected = score(session_, pair).log_likelihood;
  for (const std::vector<int>& continuation : {std::vector{300, 3}, {3, 300}, {3, -1}}) {
    expect_error([&] { score(session_, {some_ids(5), continuation}); }, {"token id", "expected 0 to 299"});
  }
  EXPECT_EQ(score(session_, pair).log_likelihood, expected);
}

}  // namespace
}  // namespace gptj
