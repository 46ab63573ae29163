// What researchers ask: score, embed, perplexity against a base, intermediates.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "npy_file.h"
#include "process.h"

namespace gptj::test {
namespace {

using nlohmann::json;

const std::string kText = GPTJ_TEST_DATA "/perplexity/text.c";

TEST(Score, WritesALineForEachContinuation) {
  const std::string input =
      R"({"context": "for (int i = 0; i < n; ", "continuations": ["++i) {", "i++) {"], "id": ["q", 2], "gold": 1})"
      "\n \n"
      R"({"context": "", "continuation": "#include"})";
  const Finished f = gptj({"score", "-m", kDemoGptJ, "--exact", "--kv-type", "f32"}, input);
  EXPECT_EQ(f.code, 0) << f.err;
  EXPECT_TRUE(has_line(f.err, "score: 3 continuations, 9 tokens in %.## ms"));
  const std::vector<std::string> found = lines(f.out);
  ASSERT_EQ(found.size(), 3U);
  const auto expect_score = [](const std::string& line, double log_likelihood, json rest) {
    json score = json::parse(line);
    EXPECT_NEAR(score["log_likelihood"].get<double>(), log_likelihood, 1e-4);  // as in tests/data/research
    score.erase("log_likelihood");
    EXPECT_EQ(score, rest);
  };
  const json id = {"q", 2};
  expect_score(found[0], -6.484111, {{"id", id}, {"continuation", 0}, {"is_greedy", false}, {"n_tokens", 4}});
  expect_score(found[1], -0.878013, {{"id", id}, {"continuation", 1}, {"is_greedy", true}, {"n_tokens", 3}});
  expect_score(found[2], -0.360930, {{"is_greedy", true}, {"n_tokens", 2}});
}

TEST(Score, AnswersEachLineAsItComes) {
  std::array<int, 2> in, out;
  ASSERT_EQ(::pipe2(in.data(), O_CLOEXEC) + ::pipe2(out.data(), O_CLOEXEC), 0);
  Process score({.args = {"score", "-m", kDemoGptJ, "-q"}, .in = in[0], .out = out[1]});
  const std::string question = R"({"context": "a", "continuation": " b"})"
                               "\n";
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(::write(in[1], question.data(), question.size()), static_cast<ssize_t>(question.size()));
    pollfd answer{out[0], POLLIN, 0};
    ASSERT_EQ(::poll(&answer, 1, 60'000), 1);  // while the input goes on
    std::array<char, 1000> line;
    const ssize_t n = ::read(out[0], line.data(), line.size());
    ASSERT_GT(n, 0);
    EXPECT_TRUE(json::parse(line.begin(), line.begin() + n).contains("log_likelihood"));
  }
  for (const int fd : {in[0], in[1], out[0], out[1]}) ::close(fd);
  EXPECT_EQ(score.finish().code, 0);
}

TEST(Score, SaysWhatItCuts) {
  std::string context;
  for (int i = 0; i < 40; ++i) context += "int x;";
  const TemporaryDirectory directory;
  const std::string file =
      directory.file("a.jsonl", json{{"context", context}, {"continuation", "y"}}.dump() + "\r\n");
  const Finished f = gptj({"score", "-m", kDemoGptJ, "-f", file, "-c", "32"});
  EXPECT_EQ(f.code, 0) << f.err;
  EXPECT_GT(json::parse(f.out)["n_cut"], 0);
  EXPECT_TRUE(has_line(f.err, "score: 1 contexts were too long: their beginning was cut off (n_cut)"));
}

struct BadLine {
  const char* line;
  const char* error;
};

TEST(Score, ABrokenLineIsNamedAfterTheResultsBeforeIt) {
  const std::string good = R"({"context": "a", "continuation": " b"})";
  const std::string deep(100, '[');
  const BadLine cases[] = {
      {"{", "column 2: expected JSON, found a mistake in '{'"},
      {"{} {}", "column 4: expected JSON, found a mistake in"},
      {"[1]", "expected a JSON object, found array"},
      {deep.c_str(), "JSON nested more than 80 deep"},
      {"{\"context\": \"\xff\"}", "expected JSON, found a mistake in"},
      {R"({"context": "a", "context": "b"})", "the key 'context' appears twice in one object"},
      {R"({"continuation": "b"})", "expected a \"context\", found none"},
      {R"({"context": 7, "continuation": "b"})", "context: expected a text, found number"},
      {R"({"context": "a"})", "found neither"},
      {R"({"context": "a", "continuation": "b", "continuations": ["b"]})", "found both"},
      {R"({"context": "a", "continuation": ["b"]})", "continuation: expected a text, found array"},
      {R"({"context": "a", "continuations": "b"})", "expected a list of at least one text"},
      {R"({"context": "a", "continuations": []})", "expected a list of at least one text"},
      {R"({"context": "a", "continuations": ["b", null]})", "continuations: expected a text, found null"},
      {R"({"context": "a", "continuation": ""})", "at least one token"},
      {R"({"context": "in", "continuation": "t"})", "at least one token beyond the context's 1, found none"},
      {R"({"context": "a", "continuation": "1,2,3,4,5,6,7,8,9"})",
       "at most 8 tokens, the context's size, found"}};
  for (const auto& [line, error] : cases) {
    SCOPED_TRACE(line);
    const Finished f = gptj({"score", "-m", GPTJ_TEST_DATA "/golden/gptj-f32", "-q", "-c", "8"},
                            good + "\n\n" + line + "\n" + good + "\n");
    EXPECT_EQ(f.code, 1);
    EXPECT_TRUE(contains(f.err, error));
    EXPECT_TRUE(f.err.starts_with("gpt-j: standard input: line 3: ")) << f.err;
    EXPECT_EQ(lines(f.err).size(), 1U) << f.err;
    EXPECT_EQ(lines(f.out).size(), 1U) << f.out;
  }
}

TEST(Embed, WritesARowForEachTextOrToken) {
  const TemporaryDirectory directory;
  const std::string file = directory.file("texts", "int main(void)\nreturn 0;\r\nx\n");
  const auto embedded = [&](std::vector<std::string> more) {
    std::vector<std::string> args = {"embed", "-m", kDemoGptJ, "-q", "-o", directory / "e.npy"};
    args.insert(args.end(), more.begin(), more.end());
    const Finished f = gptj(args);
    EXPECT_EQ(f.code, 0) << f.err;
    EXPECT_EQ(f.out + f.err, "");
    Array array = read_npy(directory / "e.npy");
    EXPECT_EQ(array.columns, 256U);
    EXPECT_EQ(array.values.size(), array.rows * array.columns);
    return array;
  };
  const Array texts = embedded({"-f", file, "--lines"});
  EXPECT_EQ(texts.rows, 3U);
  EXPECT_EQ(embedded({"-f", file}).rows, 1U);
  const Array second = embedded({"-p", "return 0;"});
  EXPECT_EQ(second.values, std::vector<float>(texts.values.begin() + 256, texts.values.begin() + 512));
  const Array tokens = embedded({"-p", "return 0;", "--pooling", "none"});
  EXPECT_GT(tokens.rows, 1U);
  const Array last = embedded({"-p", "return 0;", "--pooling", "last"});
  EXPECT_EQ(last.values, std::vector<float>(tokens.values.end() - 256, tokens.values.end()));
}

TEST(Embed, BadTextsLeaveNothing) {
  const TemporaryDirectory directory;
  const auto failure = [&](std::vector<std::string> more, const std::string& input, int code) {
    std::vector<std::string> args = {"embed", "-m", kDemoGptJ};
    args.insert(args.end(), more.begin(), more.end());
    const Finished f = gptj(args, input);
    EXPECT_EQ(f.code, code);
    EXPECT_EQ(lines(f.err).size(), 1U) << f.err;
    EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
    return f.err;
  };
  const std::string out = directory / "e.npy";
  EXPECT_TRUE(contains(failure({}, "x", 2), "-o: expected a file"));
  EXPECT_TRUE(contains(failure({"-o", out}, "", 1), "text 1: expected 1 to 512 tokens"));
  EXPECT_TRUE(contains(failure({"-o", out, "--lines"}, "", 1), "at least one text"));
  EXPECT_TRUE(contains(failure({"-o", out, "--lines"}, "a\n\nb\n", 1), "text 2: expected 1 to 512 tokens"));
  std::string text;
  for (int i = 0; i < 513; ++i) text += "\n;";
  EXPECT_TRUE(contains(failure({"-o", out}, text, 1), "text 1: expected 1 to 512 tokens"));
  EXPECT_TRUE(contains(failure({"-o", out, "--lines", "--pooling", "none"}, "x", 2), "--pooling"));
}

TEST(Logits, DumpsIntermediates) {
  const TemporaryDirectory directory;
  const std::string dump = directory / "dump", out = directory / "logits.npy";
  const Finished f = gptj({"logits", "-m", kDemoGpt2, "-p", "int x = 7;", "--dump", dump, "-o", out});
  EXPECT_EQ(f.code, 0) << f.err;
  const size_t rows = read_npy(out).rows;
  EXPECT_GT(rows, 1U);
  size_t n_files = 0;
  for (const auto& file : std::filesystem::directory_iterator(dump)) {
    EXPECT_EQ(read_npy(file.path()).rows, rows) << file.path();
    ++n_files;
  }
  EXPECT_TRUE(has_line(f.err, "logits: wrote '*/dump': " + std::to_string(n_files) + " intermediates"));
  for (const char* name : {"embed", "h.0.ln_1", "h.0.mlp.act", "h.0", "ln_f"}) {
    EXPECT_TRUE(std::filesystem::exists(dump + "/" + name + ".npy")) << name;
  }
  const Finished again = gptj({"logits", "-m", kDemoGpt2, "-p", "x", "--dump", dump, "-q"});
  EXPECT_EQ(again.code, 1);
  EXPECT_TRUE(contains(again.err, dump));
  EXPECT_TRUE(contains(gptj({"logits", "-m", kDemoGpt2, "-p", "x"}).err, "-o or --dump"));
}

class KlBase : public testing::Test {
 protected:
  KlBase() {
    const Finished f = perplexity({"--save-kl-base", base});
    EXPECT_EQ(f.code, 0) << f.err;
    EXPECT_TRUE(has_line(f.err, "perplexity: wrote '*/base.kl': %.## MB"));
  }

  static Finished perplexity(std::vector<std::string> more, const std::string& model = kDemoGptJ) {
    std::vector<std::string> args = {"perplexity", "-m", model, "-f", kText, "-c", "128"};
    args.insert(args.end(), more.begin(), more.end());
    return gptj(args);
  }

  TemporaryDirectory directory;
  std::string base = directory / "base.kl";
};

TEST_F(KlBase, QuantizedWeightsDivergeALittle) {
  const Finished f = perplexity({"--kl-base", base, "--type", "q4", "--json", "-q"});
  EXPECT_EQ(f.code, 0) << f.err;
  const json found = json::parse(f.out);
  const json& kl = found["kl"];
  EXPECT_GT(kl["mean"], 0.002);
  EXPECT_LT(kl["mean"], 0.05);
  EXPECT_GT(kl["error"], 0);
  EXPECT_LT(kl["error"], kl["mean"]);
  double before = 0;
  for (const char* name : {"median", "percentile_90", "percentile_99", "percentile_99_9", "max"}) {
    EXPECT_GT(kl[name], before) << name;
    before = kl[name];
  }
  EXPECT_GT(kl["same_top"], 0.8);
  EXPECT_LT(kl["same_top"], 1);
  EXPECT_NEAR(kl["perplexity_ratio"].get<double>() * kl["base_perplexity"].get<double>(),
              found["perplexity"].get<double>(), 1e-9);
  EXPECT_TRUE(
      matches(perplexity({"--kl-base", base, "--type", "q4"}).out,
              "perplexity = *\n"
              "nll = *\n"
              "base perplexity = %.####\n"
              "perplexity ratio = %.###### +/- %.######\n"
              "KL divergence = %.###### +/- %.###### nats per token\n"
              "KL divergence percentiles = 50 *: %.######, 90 *: *, 99 *: *, 99.9 *: *, maximum: %.######\n"
              "same top token = %.### +/- %.### *\n"
              "change of p = *%.#### +/- %.#### *, root mean square %.#### *\n"
              "windows = *\n"
              "method = *\n"));
}

TEST_F(KlBase, OfTheSameModelIsZero) {
  const Finished f = perplexity({"--kl-base", base, "--json", "-q", "-t", "1", "-b", "50"});
  const json kl = json::parse(f.out)["kl"];
  EXPECT_LT(kl["max"], 1e-6);
  EXPECT_EQ(kl["same_top"], 1);
  EXPECT_EQ(kl["perplexity_ratio"], 1);
}

TEST_F(KlBase, WhatDoesNotFitIsRefusedBeforeAModelIsLoaded) {
  const auto refusal = [&](std::vector<std::string> more, int code = 1) {
    const Finished f = perplexity(std::move(more));
    EXPECT_EQ(f.code, code);
    EXPECT_EQ(f.out, "");
    EXPECT_FALSE(contains(f.err, "loading model"));
    return f.err;
  };
  EXPECT_TRUE(
      contains(refusal({"--kl-base", base, "-c", "64"}), "tokens of a window: expected 64, found 128"));
  EXPECT_TRUE(contains(refusal({"--kl-base", kText}), "expected a base of predictions"));
  EXPECT_TRUE(contains(refusal({"--kl-base", directory / "no"}), "/no'"));
  EXPECT_TRUE(contains(refusal({"--kl-base", base, "--save-kl-base", base}, 2), "--kl-base"));
  EXPECT_TRUE(contains(refusal({"--save-kl-base", "/no/such"}), "/no/such"));
  std::filesystem::resize_file(base, 4000);
  EXPECT_TRUE(contains(refusal({"--kl-base", base}), "expected 3105680, found 4000"));
}

}  // namespace
}  // namespace gptj::test
