// Conversations that are kept in a file.

#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "io/model_files.h"
#include "process.h"

namespace gptj::test {
namespace {

namespace fs = std::filesystem;

const std::string kPrompt = "Once upon a time";

class SessionFiles : public testing::Test {
 protected:
  /// The demo model's likeliest text with the session, and more.
  std::vector<std::string> args(std::vector<std::string> more) const {
    std::vector<std::string> all = {"-m", kDemoGptJ, "--temp", "0", "-t", "1", "--session", file_};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  Finished write(std::vector<std::string> more, const std::string& input = "") const {
    Finished f = gptj(args(std::move(more)), input);
    EXPECT_EQ(f.code, 0) << f.err;
    return f;
  }
  /// Without the newline that ends what a program writes.
  static std::string text(const Finished& f) { return f.out.substr(0, f.out.size() - 1); }
  static std::string without_session(int n) {
    return text(
        gptj({"-m", kDemoGptJ, "--temp", "0", "-t", "1", "-q", "-p", kPrompt, "-n", std::to_string(n)}));
  }
  std::string bytes() const { return read_file(file_); }
  static std::string read_file(const std::string& path);
  ptrdiff_t n_files() const { return std::distance(fs::directory_iterator(directory_.path()), {}); }

  TemporaryDirectory directory_;
  const std::string file_ = directory_ / "a session";
};

std::string SessionFiles::read_file(const std::string& path) {
  std::ostringstream all;
  all << std::ifstream(path, std::ios::binary).rdbuf();
  return all.str();
}

TEST_F(SessionFiles, WithoutAPromptTheTextGoesOn) {
  for (const std::vector<std::string>& options :
       {std::vector<std::string>{}, {"--kv-type", "int8", "--lookup"}, {"--exact"}, {"-c", "60"}}) {
    const auto with = [&](std::vector<std::string> more) {
      more.insert(more.end(), options.begin(), options.end());
      return more;
    };
    fs::remove(file_);
    std::string whole = text(gptj(with({"-m", kDemoGptJ, "--temp", "0", "-q", "-p", kPrompt, "-n", "40"})));
    const Finished first = write(with({"-p", kPrompt, "-n", "15"}));
    EXPECT_TRUE(contains(first.err, "session = 0 of 6 tokens of the prompt were there"));
    EXPECT_TRUE(contains(first.err, "session = 20 tokens written"));
    const Finished second = write(with({"-n", "10"})), third = write(with({"-n", "15", "-p", ""}));
    EXPECT_TRUE(contains(second.err, "session = 21 of 21 tokens"));
    EXPECT_EQ(text(first) + text(second) + text(third), whole);
    EXPECT_EQ(n_files(), 1);
  }
}

TEST_F(SessionFiles, ACharacterThatIsCutGoesOn) {
  // Each of three tokens is a byte of one character.
  const TemporaryDirectory models;
  GgmlFile file = ggml_gptj({.n_vocab = 300, .n_ctx = 64}, DType::f16);
  const std::string model = models.file("model.bin", file.bytes());
  const std::string session = directory_ / "bytes";
  const auto run = [&](std::vector<std::string> more) {
    std::vector<std::string> all = {"-m", model, "-q", "--temp", "0", "--ignore-eos"};
    all.insert(all.end(), more.begin(), more.end());
    return text(gptj(all));
  };
  const std::string whole = run({"-p", "\xe2\x82", "-n", "9"});
  std::string pieces = run({"-p", "\xe2\x82", "-n", "1", "--session", session});
  for (int i = 0; i < 8; ++i) pieces += run({"-n", "1", "--session", session});
  EXPECT_EQ(pieces, whole);
}

TEST_F(SessionFiles, APromptIsReadFromWhereItDiffers) {
  write({"-p", kPrompt, "-n", "10", "-q"});
  const Finished longer = write({"-p", without_session(10) + " and so on", "-n", "4"});
  EXPECT_GT(number_after(longer.err, "session = "), 10);
  const Finished other = write({"-p", "Once upon another time", "-n", "4"});
  EXPECT_TRUE(contains(other.err, "session = 4 of 6 tokens of the prompt"));
  EXPECT_TRUE(contains(write({"-n", "1"}, "Something else, by a pipe").err, "session = 0 of"));
}

TEST_F(SessionFiles, StayAsTheyAreWhenThePromptIsNotReadToItsEnd) {
  write({"-p", kPrompt, "-n", "4"});
  const std::string before = bytes();
  const Finished f = write({"-p", "Another text", "-n", "4", "--max-time", "0.0000001"});
  EXPECT_TRUE(has_line(f.err, "main:       session: stopped in the prompt, * stays as it was")) << f.err;
  EXPECT_EQ(bytes(), before);
}

TEST_F(SessionFiles, ReadOnlyTheyStayAsTheyAre) {
  EXPECT_EQ(write({"-p", kPrompt, "-n", "10", "-q", "--session-read-only"}).err, "");
  EXPECT_TRUE(has_line(write({"-p", kPrompt, "-n", "1", "--session-read-only"}).err,
                       "main: warning: there is no session '*'"));
  EXPECT_EQ(n_files(), 0);
  write({"-p", kPrompt, "-n", "10", "-q"});
  const std::string before = bytes();
  const Finished f = write({"-n", "10", "--session-read-only"});
  EXPECT_TRUE(contains(f.err, "session = 16 of 16 tokens"));
  EXPECT_FALSE(contains(f.err, "written"));
  EXPECT_EQ(bytes(), before);
  EXPECT_EQ(gptj({"-m", kDemoGptJ, "-p", "x", "--session-read-only"}).code, 2);
}

TEST_F(SessionFiles, ThatCannotBeUsedAreAWarning) {
  write({"-p", kPrompt, "-n", "10", "-q"});
  const std::string good = bytes();
  std::string damaged = good;
  ++damaged[damaged.size() / 2];
  for (const std::string& bad : {damaged, good.substr(0, 1000), std::string()}) {
    directory_.file("a session", bad);
    const Finished f = write({"-p", kPrompt, "-n", "10"});
    EXPECT_TRUE(has_line(f.err, "main: warning: '*a session': *; the prompt is evaluated instead")) << f.err;
    EXPECT_EQ(text(f), without_session(10));
    EXPECT_EQ(bytes(), good);  // it is a good one again
  }
  const Finished f = write({"-p", kPrompt, "-n", "10", "--kv-type", "f32", "--session-read-only"});
  EXPECT_TRUE(contains(f.err, "type of keys and values: expected f32, found f16")) << f.err;

  // Without a prompt there is nothing to evaluate instead.
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{"--kv-type", "f32"}, {"-m", kDemoGpt2}, {"--type", "q4"}}) {
    std::vector<std::string> all = args({"-n", "5", "-q"});
    if (more[0] == "-m") all.erase(all.begin(), all.begin() + 2);
    all.insert(all.end(), more.begin(), more.end());
    const Finished refused = gptj(all);
    EXPECT_EQ(refused.code, 1);
    EXPECT_EQ(refused.out, "");
    EXPECT_EQ(lines(refused.err).size(), 1U) << refused.err;
    EXPECT_EQ(bytes(), good);
  }
}

TEST_F(SessionFiles, OtherFilesAreNeverReplaced) {
  const std::string other = "a model, or a letter";
  directory_.file("a session", other);
  const Finished f = gptj(args({"-p", kPrompt, "-n", "10"}));
  EXPECT_EQ(f.code, 1);
  EXPECT_EQ(f.out, "");
  EXPECT_TRUE(contains(f.err, "a session': expected a session file or none, found another file")) << f.err;
  EXPECT_FALSE(contains(f.err, "loading"));  // before long work
  EXPECT_EQ(bytes(), other);
}

TEST_F(SessionFiles, WhereNothingCanBeWrittenIsAnErrorBeforeLongWork) {
  const Finished f = gptj({"-m", kDemoGptJ, "-p", "x", "--session", directory_ / "no/where"});
  EXPECT_EQ(f.code, 1);
  EXPECT_EQ(f.out, "");
  EXPECT_TRUE(contains(f.err, "no/where.lock': No such file"));
  EXPECT_FALSE(contains(f.err, "loading"));
}

TEST_F(SessionFiles, BelongToOneProgramAndAreKeptWhenItIsStopped) {
  Process writer({.args = args({"-p", kPrompt, "-n", "-1", "--context-shift", "--ignore-eos"})});
  ASSERT_TRUE(writer.wait_for_error_text("number of tokens in prompt"));
  const Finished second = gptj(args({"-p", kPrompt}));
  EXPECT_EQ(second.code, 1);
  EXPECT_EQ(second.out, "");
  EXPECT_TRUE(contains(second.err, "another program")) << second.err;
  // Who only reads may.
  EXPECT_EQ(gptj(args({"-p", kPrompt, "-n", "1", "--session-read-only"})).code, 0);

  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  writer.send(SIGINT);
  const Finished stopped = writer.finish();
  EXPECT_EQ(stopped.code, 128 + SIGINT) << stopped.err;
  EXPECT_EQ(n_files(), 1);  // neither a lock nor a part
  const Finished next = write({"-n", "5", "--context-shift"});
  EXPECT_GT(number_after(next.err, "session = "), 5);
}

}  // namespace
}  // namespace gptj::test
