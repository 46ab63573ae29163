// Standard streams and signals: full, closed, cut off, on a terminal, interrupted.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <fstream>
#include <iterator>

#include "terminal.h"

namespace gptj::test {
namespace {

Start text_to(int out) {
  Start start{.args = {"-m", kDemoGptJ, "-p", "int main(", "-n", "100", "--ignore-eos"}};
  start.out = out;
  return start;
}

/// A pipe that is full: who writes to it waits until it is drained.
struct FullPipe {
  FullPipe() {
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
    const std::string piece(4096, '.');
    while (::write(ends[1], piece.data(), piece.size()) > 0) {
    }
    ::fcntl(ends[1], F_SETFL, 0);  // blocking from now on
  }
  ~FullPipe() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  void drain() const {
    std::array<char, 65536> piece;
    while (::read(ends[0], piece.data(), piece.size()) > 0) {
    }
  }

  std::array<int, 2> ends{};
};

TEST(Streams, AFullDiskIsAnError) {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  const std::vector<std::vector<std::string>> commands = {{"-m", kDemoGptJ, "-q", "-p", "int", "-n", "1"},
                                                          {"tokenize", "-m", kDemoGptJ, "-p", "int"},
                                                          {"inspect", kDemoGptJ},
                                                          {"--version"},
                                                          {"--help"}};
  for (const auto& args : commands) {
    Start start{.args = args};
    start.out = full;
    const Finished f = run(start);
    EXPECT_EQ(f.code, 1);
    EXPECT_EQ(f.err, "gpt-j: cannot write standard output: No space left on device\n");
  }
  ::close(full);
}

TEST(Streams, AClosedOutputIsAnErrorBeforeTheModelIsLoaded) {
  const Finished f = run(text_to(Start::kClosed));
  EXPECT_EQ(f.code, 1);
  EXPECT_EQ(lines(f.err).size(), 1U) << f.err;
  EXPECT_TRUE(contains(f.err, "gpt-j: cannot write standard output"));
}

TEST(Streams, AClosedStreamNeverLendsItsPlaceToAFile) {
  const TemporaryDirectory directory;
  const auto logits_with = [&](int err) {
    Start start{.args = {"logits", "-m", kDemoGptJ, "-p", "int", "-o", directory / "x.npy"}};
    start.err = err;
    EXPECT_EQ(run(start).code, 0);
    std::ifstream in(directory / "x.npy", std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  const std::string expected = logits_with(Start::kPipe);
  EXPECT_GT(expected.size(), 4096U * sizeof(float));
  EXPECT_TRUE(logits_with(Start::kClosed) == expected);  // no messages in it
}

/// What the program writes, write by write.
std::vector<std::string> writes_of(Start start) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), 0);
  start.out = ends[1];
  EXPECT_EQ(run(start).code, 0);
  ::close(ends[1]);
  std::vector<std::string> writes;
  std::array<char, 4096> piece;
  for (ssize_t got; (got = ::read(ends[0], piece.data(), piece.size())) > 0;) {
    writes.emplace_back(piece.data(), static_cast<size_t>(got));
  }
  ::close(ends[0]);
  return writes;
}

TEST(Streams, TextIsWrittenAsItIsMade) {
  EXPECT_GT(writes_of(text_to(Start::kPipe)).size(), 50U);
}

TEST(Streams, NoWriteEndsInsideACharacter) {
  const std::string prompt = "世界你好";  // three bytes each, and no tokens of the demo model
  const Finished tokens = gptj({"tokenize", "-m", kDemoGptJ, "-q", "-p", prompt});
  ASSERT_EQ(lines(tokens.out).size(), prompt.size()) << "the model has tokens for whole characters";
  const std::vector<std::string> writes =
      writes_of(Start{.args = {"-m", kDemoGptJ, "-q", "-n", "0", "-p", prompt}});
  EXPECT_EQ(writes, (std::vector<std::string>{"世", "界", "你", "好", "\n"}));
}

TEST(Streams, AClosedPipeEndsQuietly) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
  ::close(pipe[0]);
  Start start = text_to(pipe[1]);
  start.args.emplace_back("-q");
  const Finished f = run(start);
  ::close(pipe[1]);
  EXPECT_EQ(f.signal, SIGPIPE);  // as every filter
  EXPECT_EQ(f.err, "");
}

TEST(Streams, AClosedPipeEndsQuietlyEvenIfTheCallerIgnoresTheSignal) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
  ::close(pipe[0]);
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  const Finished f = run(text_to(pipe[1]));
  std::signal(SIGPIPE, before);
  ::close(pipe[1]);
  EXPECT_EQ(f.signal, SIGPIPE);
  EXPECT_FALSE(contains(f.err, "cannot write"));
}

TEST(Streams, ASignalEndsTheTextWithItsTimings) {
  for (const int signal : {SIGINT, SIGTERM}) {
    const FullPipe out;  // the program waits at its first word, so that the signal comes in time
    Process program(text_to(out.ends[1]));
    ASSERT_TRUE(program.wait_for_error_text("number of tokens in prompt"));
    program.send(signal);
    out.drain();
    const Finished f = program.finish();
    EXPECT_EQ(f.code, 128 + signal);
    EXPECT_TRUE(contains(f.err, "main: generate time = 0.00 ms / 0 tokens"));
    EXPECT_TRUE(contains(f.err, "main:    total time = "));
    EXPECT_FALSE(contains(f.err, "gpt-j: "));
  }
}

TEST(Streams, ASecondSignalKills) {
  const FullPipe out;
  Process program(text_to(out.ends[1]));
  ASSERT_TRUE(program.wait_for_error_text("number of tokens in prompt"));
  for (int i = 0; i < 50; ++i) {  // until one comes after the first was seen
    program.send(SIGINT);
    ::usleep(2000);
  }
  EXPECT_EQ(program.finish().signal, SIGINT);
}

TEST(Streams, ASignalEndsTheWaitForAPrompt) {
  Process program(Start{.args = {"-m", kDemoGptJ}});
  ::usleep(200'000);  // most likely waiting by now; if not, the signal is seen a little later
  program.send(SIGINT);
  const Finished f = program.finish();
  EXPECT_TRUE(f.code == 130 || f.signal == SIGINT);
  EXPECT_EQ(f.out, "");
}

TEST(Streams, OnATerminalAPromptIsChosen) {
  int ours = -1, theirs = -1;
  ASSERT_EQ(::openpty(&ours, &theirs, nullptr, nullptr, nullptr), 0);
  Start start{.args = {"-m", kDemoGptJ, "-q", "-n", "3", "-s", "1"}};
  start.in = theirs;
  const Finished f = run(start);
  ::close(ours);
  ::close(theirs);
  EXPECT_EQ(f.code, 0);
  EXPECT_TRUE(f.out.starts_with("Once upon a time")) << f.out;
}

TEST(Streams, OnATerminalACommandTellsThatItReadsIt) {
  for (const char* command : {"tokenize", "score"}) {
    Terminal terminal({command, "-m", kDemoGptJ});
    terminal.wait_for("main: reading from the terminal, up to Ctrl-D");
    terminal.type("\x04");
    EXPECT_EQ(terminal.finish().code, 0);
  }
}

TEST(Streams, OnATerminalOneSeesHowLongSeveralTextsTake) {
  Terminal terminal(
      {"-m", kDemoGptJ, "-p", "int main(", "-n", "-1", "--ignore-eos", "--context-shift", "-np", "2"});
  terminal.wait_for("main: working for 0:02, Ctrl-C ends it");
  terminal.send(SIGINT);
  EXPECT_TRUE(contains(terminal.finish().out, "\x1b[K=== 1 ===\n"));
}

TEST(Streams, ADashIsStandardInput) {
  const std::vector<std::string> text = {"-m", kDemoGptJ, "-q", "-n", "5", "--temp", "0"};
  const auto with = [&](std::vector<std::string> more, const std::string& input) {
    more.insert(more.begin(), text.begin(), text.end());
    return gptj(more, input);
  };
  const std::string expected = with({"-p", "int main("}, "").out;
  const Finished f = with({"-f", "-"}, "int main(\n");
  EXPECT_EQ(f.code, 0) << f.err;
  EXPECT_EQ(f.out, expected);
  EXPECT_EQ(with({"--batch-file", "-"}, "int main(\n").code, 0);
  EXPECT_EQ(gptj({"tokenize", "-m", kDemoGptJ, "-f", "-"}, "int").out,
            gptj({"tokenize", "-m", kDemoGptJ, "-p", "int"}).out);
}

TEST(Streams, AClosedInputIsAnError) {
  Start start{.args = {"-m", kDemoGptJ}};
  start.in = Start::kClosed;
  const Finished f = run(start);
  EXPECT_EQ(f.code, 1);
  EXPECT_TRUE(contains(f.err, "gpt-j: cannot read standard input"));
}

}  // namespace
}  // namespace gptj::test
