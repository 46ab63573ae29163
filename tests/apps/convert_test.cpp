// gpt-j convert and quantize: what they write, say and leave behind, and --type at load.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>

#include "process.h"

namespace gptj::test {
namespace {

size_t n_entries(const std::string& directory) {
  const auto all = std::filesystem::directory_iterator(directory);
  return static_cast<size_t>(std::distance(begin(all), end(all)));
}

std::string greedy(const std::string& model) {
  const Finished f = gptj({"-m", model, "-p", "static int", "-n", "24", "--temp", "0", "--exact", "-q"});
  EXPECT_EQ(f.code, 0) << f.err;
  return f.out;
}

TEST(ConvertCommand, WritesWhatItsNameSaysAndTheSameModel) {
  const TemporaryDirectory out;
  for (const std::string& demo : {kDemoGptJ, kDemoGpt2}) {
    const std::string expected = greedy(demo);
    for (const auto& [name, what] :
         std::vector<std::pair<std::string, std::string>>{{"model.gptj", "our own file"},
                                                          {"model.bin", "legacy ggml file"},
                                                          {"model", "Hugging Face directory"}}) {
      const std::string path = out / name;
      std::filesystem::remove_all(path);
      const Finished f = gptj({"convert", demo, path});
      EXPECT_EQ(f.code, 0);
      EXPECT_EQ(f.out, "");
      EXPECT_TRUE(
          has_line(f.err, "convert: wrote '*" + name + "', *" + what + "*, in *MB of weights -> *MB, *"));
      EXPECT_EQ(greedy(path), expected);
    }
  }
}

TEST(ConvertCommand, QuantizeIsShortForIt) {
  const TemporaryDirectory out;
  EXPECT_EQ(gptj({"quantize", kDemoGptJ, out / "a.gptj", "q4"}).code, 0);
  EXPECT_EQ(gptj({"convert", kDemoGptJ, out / "b.gptj", "--type", "q4"}).code, 0);
  const Finished same = run({.program = "/usr/bin/cmp", .args = {out / "a.gptj", out / "b.gptj"}});
  EXPECT_EQ(same.code, 0) << same.out;
}

TEST(ConvertCommand, SaysWhichRowsDoNotFitBlocks) {
  const TemporaryDirectory out;
  const Finished f = gptj({"quantize", GPTJ_TEST_DATA "/golden/gptj-f32", out / "a.gptj", "q4"});
  EXPECT_EQ(f.code, 0);
  EXPECT_TRUE(
      has_line(f.err, "quantize: 14 of 14 matrices have rows that are no whole number of q4 blocks: *"));
}

TEST(ConvertCommand, SaysWhatIsLostTwice) {
  const TemporaryDirectory out;
  EXPECT_EQ(gptj({"quantize", kDemoGptJ, out / "a.gptj", "q8"}).code, 0);
  const Finished f = gptj({"quantize", out / "a.gptj", out / "b.gptj", "q4"});
  EXPECT_EQ(f.code, 0);
  EXPECT_TRUE(has_line(f.err, "quantize: warning: *quantized already (q8)*lost*"));
}

TEST(ConvertCommand, RefusesWhatCannotBeWritten) {
  const TemporaryDirectory out;
  const auto refusal = [&](const std::vector<std::string>& args) {
    std::vector<std::string> all = {"convert", kDemoGptJ};
    all.insert(all.end(), args.begin(), args.end());
    const Finished f = gptj(all);
    EXPECT_EQ(f.code, 1) << f.err;
    return f.err;
  };
  EXPECT_TRUE(contains(refusal({"/dev/full"}), "something else"));
  EXPECT_TRUE(contains(refusal({"/dev/full", "--to", "ggml"}), "regular file"));
  EXPECT_TRUE(contains(refusal({out / "x.bin", "--type", "q4"}), "q4_0"));
  EXPECT_TRUE(contains(refusal({out / "no/x.bin"}), "No such file"));
  EXPECT_EQ(n_entries(out.path()), 0U);
}

TEST(ConvertCommand, LeavesNothingWhenItIsStopped) {
  const TemporaryDirectory out;
  for (const std::string name : {"x.gptj", "x"}) {
    Process program(
        {.args = {"convert", kDemoGptJ, out / name, "-t", "1", "--type", name == "x" ? "f32" : "q4"}});
    program.wait_for_error_text("convert: ");
    program.send(SIGINT);
    const Finished f = program.finish();
    if (f.code == 0) {
      std::filesystem::remove_all(out / name);  // it was faster
    } else {
      EXPECT_EQ(f.code, 130);
    }
    EXPECT_EQ(n_entries(out.path()), 0U);
  }
}

TEST(TypeOption, QuantizesWhileLoadingAndSaysWhatWouldBeFaster) {
  const TemporaryDirectory out;
  const std::vector<std::string> text = {"-p", "static int", "-n", "24", "--temp", "0"};
  const auto generate = [&](std::vector<std::string> args) {
    args.insert(args.end(), text.begin(), text.end());
    return gptj(args);
  };
  const Finished f = generate({"-m", kDemoGptJ, "--type", "q4"});
  EXPECT_EQ(f.code, 0);
  EXPECT_TRUE(has_line(f.err, "main: weights become q4 while they load; *convert*--type q4*"));
  EXPECT_EQ(gptj({"quantize", kDemoGptJ, out / "q4.gptj", "q4"}).code, 0);
  const Finished converted = generate({"-m", out / "q4.gptj", "--type", "q4"});
  EXPECT_EQ(converted.out, f.out);
  EXPECT_FALSE(has_line(converted.err, "main: weights become*"));
  EXPECT_TRUE(contains(generate({"-m", kDemoGptJ, "--type", "q3"}).err, "'q3'"));
  for (const char* command : {"perplexity", "inspect"}) {
    const Finished other = gptj({command, "-m", kDemoGptJ, "--type", "q8"}, std::string(5000, 'x'));
    EXPECT_EQ(other.code, 0) << other.err;
    EXPECT_TRUE(contains(other.err, "weights become q8"));
  }
}

TEST(Imatrix, IsMeasuredForQuantize) {
  const TemporaryDirectory out;
  const Finished f =
      gptj({"imatrix", "-m", kDemoGptJ, "-p", "int main(void) { return 0; }", "-o", out / "x"});
  EXPECT_EQ(f.code, 0);
  EXPECT_TRUE(has_line(f.err, "imatrix: wrote '*x': the inputs of % matrices over % tokens")) << f.err;
  const Finished with = gptj({"quantize", kDemoGptJ, out / "with.gptj", "q4", "--imatrix", out / "x", "-v"});
  EXPECT_EQ(with.code, 0);
  EXPECT_TRUE(has_line(with.err, "quantize: h.0.attn.q_proj.weight * q4 * bytes, relative squared error *"))
      << with.err;
  EXPECT_EQ(gptj({"quantize", kDemoGptJ, out / "without.gptj", "q4"}).code, 0);
  EXPECT_NE(run({.program = "/usr/bin/cmp", .args = {"-s", out / "with.gptj", out / "without.gptj"}}).code,
            0);
}

TEST(Imatrix, NoticesATextThatIsTooShortBeforeItLoads) {
  const TemporaryDirectory out;
  const Finished f = gptj({"imatrix", "-m", kDemoGptJ, "-p", "", "-o", out / "x"});
  EXPECT_EQ(f.code, 1);
  EXPECT_EQ(lines(f.err).size(), 1U) << f.err;
  EXPECT_TRUE(contains(f.err, "at least one token"));
}

TEST(Imatrix, NoticesAFileThatCannotBeWrittenBeforeItLoads) {
  const TemporaryDirectory out;
  const Finished f = gptj({"imatrix", "-m", kDemoGptJ, "-p", "int x;", "-o", out / "no/x"});
  EXPECT_EQ(f.code, 1);
  EXPECT_EQ(lines(f.err).size(), 1U) << f.err;
  EXPECT_TRUE(contains(f.err, "cannot create a file beside '" + out / "no/x" + "'"));
}

}  // namespace
}  // namespace gptj::test
