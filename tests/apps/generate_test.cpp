// Writing text: prompts in all the ways that they arrive, what the text depends on, and the report.

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "base/file.h"
#include "base/sanitized.h"
#include "io/model_files.h"
#include "process.h"

namespace gptj::test {
namespace {

const std::string kPrompt = "int main(int argc, char ** argv) {";

/// Arguments for a short quiet text of the demo model, and more.
std::vector<std::string> short_text(std::vector<std::string> more) {
  std::vector<std::string> args = {"-m", kDemoGptJ, "-q", "-n", "8", "-s", "1"};
  args.insert(args.end(), more.begin(), more.end());
  return args;
}

/// The text that the program writes; it must succeed without a word.
std::string text_of(const std::vector<std::string>& args, const std::string& input = "") {
  const Finished f = gptj(args, input);
  EXPECT_EQ(f.code, 0);
  EXPECT_EQ(f.err, "");
  return f.out;
}

/// stderr of a run that must fail with one line.
std::string failure(const std::vector<std::string>& args) {
  const Finished f = gptj(args);
  EXPECT_EQ(f.code, 1);
  EXPECT_EQ(f.out, "");
  EXPECT_EQ(lines(f.err).size(), 1U) << f.err;
  return f.err;
}

TEST(Generate, WritesThePromptAndMore) {
  const std::string text = text_of(short_text({"-p", kPrompt}));
  EXPECT_TRUE(text.starts_with(kPrompt)) << text;
  EXPECT_GT(text.size(), kPrompt.size() + 5);
  EXPECT_TRUE(text.ends_with('\n'));
}

TEST(Generate, APromptMayBeginWithADash) {
  for (const std::string prompt : {"-x", "--help", "--prompt", "--", "-1", "-p=3", "--model=x"}) {
    EXPECT_TRUE(text_of(short_text({"-p", prompt})).starts_with(prompt));
    EXPECT_TRUE(text_of(short_text({"--prompt", prompt})).starts_with(prompt));
    EXPECT_TRUE(text_of(short_text({"--prompt=" + prompt})).starts_with(prompt));
  }
}

TEST(Generate, APromptMayComeFromAPipeOrAFile) {
  const TemporaryDirectory directory;
  const std::string expected = text_of(short_text({"-p", kPrompt}));
  EXPECT_EQ(text_of(short_text({}), kPrompt), expected);
  EXPECT_EQ(text_of(short_text({}), kPrompt + "\n"), expected);  // the last newline is that of the file
  EXPECT_EQ(text_of(short_text({"-f", directory.file("a", kPrompt + "\n")})), expected);
  EXPECT_EQ(text_of(short_text({"--file", directory.file("b", kPrompt)})), expected);
  EXPECT_NE(text_of(short_text({}), kPrompt + "\n\n"), expected);
}

TEST(Generate, AnEmptyPromptBeginsAText) {
  const std::string expected = text_of(short_text({"-p", ""}));
  EXPECT_GT(expected.size(), 5U);
  EXPECT_FALSE(contains(expected, "<|endoftext|>"));
  EXPECT_EQ(text_of(short_text({}), ""), expected);
  EXPECT_EQ(text_of(short_text({"--prompt="})), expected);
}

TEST(Generate, AnUnfinishedCharacterOfThePromptIsKept) {
  const std::string cut = "caf\xc3";
  EXPECT_EQ(text_of({"-m", kDemoGptJ, "-q", "-n", "0", "-p", cut}), cut + "\n");
}

TEST(Generate, AnUnfinishedCharacterOfThePromptIsKeptWhenTheTextEndsThere) {
  const TemporaryDirectory directory;
  GgmlFile file = ggml_gptj({}, DType::f16);
  constexpr int kEndOfText = 256;
  const float liking = 1000;
  std::memcpy(&file.tensor("lm_head.bias").data[kEndOfText * sizeof liking], &liking, sizeof liking);
  const std::string model = directory.file("model.bin", file.bytes());
  EXPECT_EQ(text_of({"-m", model, "-q", "-n", "9", "-p", "caf\xc3"}), "caf\xc3\n");
}

TEST(Generate, ACharacterThatTheEndCutsIsNotShown) {
  const std::string bytes_mostly = GPTJ_TEST_DATA "/golden/gptj-f32";  // its tokens are single bytes, nearly
  for (int n = 1; n <= 12; ++n) {
    const std::string text = text_of({"-m", bytes_mostly, "-q", "-p", "x", "-s", "1", "--temp", "1000",
                                      "--top_k", "0", "--top_p", "1", "-n", std::to_string(n)});
    ASSERT_GE(text.size(), 2U);
    const auto last = static_cast<unsigned char>(text[text.size() - 2]);
    EXPECT_FALSE(last >= 0xc2 && last <= 0xf4) << n;  // the bytes that begin a character
  }
}

TEST(Generate, TemperatureZeroIsGreedy) {
  const std::vector<std::string> greedy = {"-m", kDemoGptJ, "-q", "-n", "40", "--temp", "0", "-p", kPrompt};
  auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), greedy.begin(), greedy.end());
    return text_of(more);
  };
  const std::string expected = with({"-s", "1"});
  EXPECT_EQ(with({"-s", "2"}), expected);
  EXPECT_EQ(with({"--top_k", "1"}), expected);
  EXPECT_EQ(with({"--top_p", "0.1"}), expected);
}

TEST(Generate, SamplersAreToldBySettings) {
  const auto added = [](std::vector<std::string> more) {
    for (const char* arg : {"-n", "30", "--temp", "0", "--ignore-eos", "-p", kPrompt.c_str()})
      more.emplace_back(arg);
    const std::string text = text_of(short_text(std::move(more)));
    return text.substr(kPrompt.size(), text.size() - kPrompt.size() - 1);
  };
  const std::string plain = added({});
  EXPECT_TRUE(contains(plain, "\n") && contains(plain, ";"));
  const std::string banned = added({"--banned-string", R"(\n)", "--banned_string", ";"});
  EXPECT_EQ(banned.find_first_of("\n;"), banned.npos) << banned;
  EXPECT_NE(added({"--no-repeat-ngram", "2"}), plain);
  EXPECT_EQ(added({"--no-repeat-ngram", "2", "--samplers", "temp"}), plain);
  EXPECT_TRUE(
      contains(failure({"-m", kDemoGptJ, "-q", "-p", "x", "--logit-bias", "4096+1"}), "from 0 to 4095"));
}

TEST(Generate, TheSameSeedGivesTheSameText) {
  auto with = [&](std::vector<std::string> more) {
    for (const char* arg :
         {"-m", kDemoGptJ.c_str(), "-q", "-n", kSanitized ? "12" : "60", "-p", kPrompt.c_str()})
      more.emplace_back(arg);
    return text_of(more);
  };
  const std::string expected = with({"-s", "7"});
  for (const char* threads : {"1", "2", "3"}) {
    for (const char* batch : {"1", "7", "512"}) {
      EXPECT_EQ(with({"-s", "7", "-t", threads, "-b", batch}), expected) << threads << " " << batch;
    }
  }
  EXPECT_NE(with({"-s", "8"}), expected);
}

TEST(Generate, ReportsInTheFormThatScriptsRead) {
  const Finished f = gptj({"-m", kDemoGptJ, "-p", kPrompt, "-n", "20", "-s", "5", "-t", "2", "--ignore-eos"});
  EXPECT_EQ(f.code, 0);
  const char* expected[] = {
      "main: seed = 5",
      "gptj_model_load: loading model from '*/demo/gpt-j' - please wait ...",
      "gptj_model_load: n_vocab = 4096",
      "gptj_model_load: n_ctx   = 512",
      "gptj_model_load: n_embd  = 256",
      "gptj_model_load: n_head  = 4",
      "gptj_model_load: n_layer = 4",
      "gptj_model_load: n_rot   = 32",
      "gptj_model_load: f16     = 1",
      "gptj_model_load: ggml ctx size = %.## MB",
      "gptj_model_load: memory_size = *%.## MB, n_mem = 2048",
      "gptj_model_load: ........................................ done",
      "gptj_model_load: model size = *%.## MB / num tensors = %",
      "main: instruction set = *, threads = 2",
      "main: number of tokens in prompt = %",
      "",
      "",
      "main: mem per token = % bytes",
      "main:     load time = *%.## ms",
      "main:   sample time = *%.## ms",
      "main:   prompt time = %.## ms / % tokens / %.## ms per token",
      "main: generate time = %.## ms / 19 tokens / %.## ms per token",
      "main:  predict time = *%.## ms / %.## ms per token",
      "main:    read speed = %.## GB/s (%.## MB per generated token)",
      "main:    total time = *%.## ms",
  };
  const std::vector<std::string> found = lines(f.err);
  ASSERT_EQ(found.size(), std::size(expected)) << f.err;
  for (size_t i = 0; i < found.size(); ++i) EXPECT_TRUE(matches(found[i], expected[i]));
}

TEST(Generate, TheExampleForTheLibraryWritesTheSame) {
  const Finished example = run({.program = GPTJ_EXAMPLE, .args = {kDemoGptJ, kPrompt}});
  EXPECT_EQ(example.code, 0);
  EXPECT_EQ(example.err, "");
  EXPECT_EQ(example.out,
            text_of({"-m", kDemoGptJ, "-q", "-p", kPrompt, "-n", "40", "-s", "1", "--temp", "0.8"}));

  const Finished lost = run({.program = GPTJ_EXAMPLE, .args = {"no-such-model", kPrompt}});
  EXPECT_EQ(lost.code, 1);
  EXPECT_EQ(lost.err, "continue_text: cannot open 'no-such-model': No such file or directory\n");
}

TEST(Generate, EitherProgramOpensBothModels) {
  Start start{.program = GPTJ_GPT2_PROGRAM, .args = {"-m", kDemoGpt2, "-n", "5", "-p", kPrompt}};
  Finished f = run(start);
  EXPECT_EQ(f.code, 0);
  EXPECT_TRUE(contains(f.err, "gpt2_model_load: n_layer = 4\n"));
  EXPECT_FALSE(contains(f.err, "n_rot"));
  EXPECT_TRUE(f.out.starts_with(kPrompt));
  start.args[1] = kDemoGptJ;
  EXPECT_TRUE(contains(run(start).err, "gptj_model_load: n_rot   = 32\n"));
  start.program = GPTJ_PROGRAM;
  start.args[1] = kDemoGpt2;
  EXPECT_TRUE(contains(run(start).err, "gpt2_model_load: n_ctx   = 512\n"));
}

TEST(Generate, VerboseSaysMore) {
  const Finished f = gptj({"-m", kDemoGptJ, "-v", "-n", "1", "-p", "int x;", "--kv-type", "f32"});
  for (const char* part :
       {"main: token[0] = ", ", 'int'\n", "KV cache (f32) = ", "scratch = ", "f16  tensors = "}) {
    EXPECT_TRUE(contains(f.err, part));
  }
}

TEST(Generate, WithoutAModelTheDefaultOrTheDemoModelIsOpened) {
  const TemporaryDirectory directory;
  Start start{.args = {"-n", "1", "-p", "int"}, .directory = directory.path()};
  Finished f = run(start);
  EXPECT_EQ(f.code, 0);
  EXPECT_TRUE(contains(f.err, "main: no model 'models/gpt-j-6B/ggml-model.bin' here"));
  EXPECT_TRUE(contains(f.err, "models/demo/gpt-j'"));
  start.program = GPTJ_GPT2_PROGRAM;
  EXPECT_TRUE(contains(run(start).err, "models/demo/gpt-2'"));

  std::filesystem::create_directories(directory / "models/gpt-2-117M");
  std::filesystem::copy_file(GPTJ_TEST_DATA "/golden/gpt2-q4_0/ggml-model.bin",
                             directory / "models/gpt-2-117M/ggml-model.bin");
  f = run(start);
  EXPECT_EQ(f.code, 0);
  EXPECT_TRUE(contains(f.err, "gpt2_model_load: loading model from 'models/gpt-2-117M/ggml-model.bin'"));
  EXPECT_TRUE(contains(f.err, "gpt2_model_load: type    = q4_0\n"));
  EXPECT_FALSE(contains(f.err, "demo"));
}

TEST(Generate, APromptBeyondTheContextIsRefused) {
  const std::string error =
      failure({"-m", kDemoGptJ, "-q", "-c", "16", "-p", std::string(40, ';') + kPrompt});
  EXPECT_TRUE(has_line(error, "*prompt is too long: expected at most 15 tokens *16*, found %"));
  const Finished f = gptj({"-m", kDemoGptJ, "-c", "16", "-p", std::string(40, ';') + kPrompt});
  EXPECT_FALSE(contains(f.err, "loading model")) << "loads long before it says so";
}

TEST(Generate, TheNumberOfTokensIsCutToTheContext) {
  const Finished f = gptj({"-m", kDemoGptJ, "-c", "32", "-n", "100", "-p", "int x;", "--ignore-eos"});
  EXPECT_EQ(f.code, 0);
  EXPECT_TRUE(has_line(f.err, "main: n_predict = % (not 100)*"));
  EXPECT_EQ(number_after(f.err, "tokens in prompt = ") + number_after(f.err, "n_predict = "), 32);
}

TEST(Generate, ATraceIsWrittenOrRefusedBeforeThereIsText) {
  const TemporaryDirectory directory;
  const Finished f = gptj({"-m", kDemoGptJ, "-q", "-p", "x", "-n", "2", "--trace", directory / "trace.json"});
  EXPECT_EQ(f.code, 0) << f.err;
  EXPECT_TRUE(read_text_file(directory / "trace.json", 1 << 26).starts_with("{\"traceEvents\":["));
  EXPECT_TRUE(contains(failure({"-m", kDemoGptJ, "-p", "x", "--trace", directory / "no/x"}), "no/x'"));
}

TEST(Generate, WhatCannotBeReadIsOneClearLine) {
  const TemporaryDirectory directory;
  EXPECT_TRUE(contains(failure({"-m", "/no/such", "-p", "x"}), "'/no/such'"));
  EXPECT_TRUE(contains(failure({"-m", directory.path(), "-p", "x"}), directory.path()));
  EXPECT_TRUE(contains(failure({"-m", directory.file("model.bin", "not a model"), "-p", "x"}), "model.bin'"));
  EXPECT_TRUE(contains(failure({"-m", kDemoGptJ, "-f", "/no/such"}), "'/no/such': No such file"));
  EXPECT_TRUE(contains(failure({"-m", kDemoGptJ, "-f", directory.path()}), "Is a directory"));
  EXPECT_TRUE(contains(failure({"-m", kDemoGptJ, "-p", "x", "-c", "513"}), "513"));
}

}  // namespace
}  // namespace gptj::test
