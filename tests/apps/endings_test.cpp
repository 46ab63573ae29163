// How a text ends, and how it is made in less time.

#include <gtest/gtest.h>

#include "process.h"

namespace gptj::test {
namespace {

const std::vector<std::string> kCode = {"-m", kDemoGptJ, "-p", "int main(", "-s", "1"};

Finished run(std::vector<std::string> more) {
  more.insert(more.begin(), kCode.begin(), kCode.end());
  return gptj(more);
}

TEST(Endings, AStopTextIsNotShown) {
  const std::string whole = run({"-q", "-n", "40"}).out;
  const std::string stop = whole.substr(30, 4);
  const Finished f = run({"-n", "40", "--stop", "no such text", "--stop", stop});
  EXPECT_EQ(f.code, 0);
  EXPECT_EQ(f.out, whole.substr(0, whole.find(stop, 9)) + "\n");
  EXPECT_TRUE(has_line(f.err, "main: stopped at '*'"));
  const Finished empty = run({"--stop", ""});
  EXPECT_EQ(empty.code, 2);
  EXPECT_EQ(empty.err, "gpt-j: --stop: expected a text, found an empty one\n");
}

TEST(Endings, WithoutANumberOfTokensTheContextIsFilled) {
  const Finished f = run({"-n", "-1", "-c", "40", "--ignore-eos"});
  EXPECT_EQ(f.code, 0);
  EXPECT_TRUE(contains(f.err, "stopped where the context is full"));
}

TEST(Endings, AContextThatShiftsHasNoEnd) {
  for (const std::string& model : {kDemoGptJ, kDemoGpt2}) {
    const Finished f = gptj({"-m", model, "-p", "int main(", "-n", "100", "-c", "32", "--context-shift",
                             "--keep", "3", "--ignore-eos"});
    EXPECT_EQ(f.code, 0) << f.err;
    EXPECT_TRUE(has_line(f.err, "main: generate time = * / 99 tokens / *"));
  }
  const Finished idle =
      gptj({"-m", kDemoGptJ, "-p", "int main(", "--keep", "3"});  // nothing would be forgotten
  EXPECT_EQ(idle.code, 2);
  EXPECT_EQ(idle.err, "gpt-j: --keep: expected --context-shift with it, found none\n");
}

TEST(Endings, TimeIsLimited) {
  const Finished f = run({"-n", "-1", "--max-time", "0.3", "--context-shift", "--ignore-eos"});
  EXPECT_EQ(f.code, 0);
  EXPECT_TRUE(contains(f.err, "stopped after 0.3 seconds")) << f.err.substr(0, 2000);
}

TEST(Guessing, ChangesNothingButTime) {
  for (const char* temperature : {"0", "0.8"}) {
    const std::string plain = run({"-q", "-n", "80", "--temp", temperature}).out;
    for (const std::vector<std::string>& how :
         {std::vector<std::string>{"--lookup"}, {"--draft", kDemoGpt2}}) {
      std::vector<std::string> args = {"-n", "80", "--temp", temperature};
      args.insert(args.end(), how.begin(), how.end());
      const Finished f = run(args);
      EXPECT_EQ(f.out, plain) << how[0] << " at " << temperature;
      EXPECT_TRUE(has_line(f.err, "main:       guesses = % / % were right *"));
    }
  }
}

TEST(Guessing, ADraftThatCannotServeIsRefused) {
  const Finished f = run({"--draft", GPTJ_TEST_DATA "/golden/gpt2-f16"});
  EXPECT_EQ(f.code, 1);
  EXPECT_TRUE(contains(f.err, "draft model '"));
  EXPECT_TRUE(contains(f.err, "vocabulary"));
  EXPECT_TRUE(contains(run({"--draft", "no-such-model/x"}).err, "no-such-model"));
  EXPECT_EQ(run({"--draft", kDemoGpt2, "--lookup"}).code, 2);
}

TEST(PrefixLm, ReadsThePromptInAnotherWay) {
  const std::string causal = run({"-q", "-n", "30"}).out, prefix = run({"-q", "-n", "30", "--prefix-lm"}).out;
  EXPECT_TRUE(prefix.starts_with("int main("));
  EXPECT_NE(prefix, causal);
  EXPECT_EQ(run({"-q", "-n", "30", "--prefix-lm", "-b", "1"}).out, prefix);
}

}  // namespace
}  // namespace gptj::test
