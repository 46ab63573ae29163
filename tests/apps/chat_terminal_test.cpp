// `gpt-j chat` as somebody uses it who sits at a terminal.

#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "terminal.h"

namespace gptj::test {
namespace {

const std::string kPrompt = "> ";

/// Arguments for short answers, and more.
std::vector<std::string> chat(std::vector<std::string> more = {}) {
  std::vector<std::string> args = {"chat", "-m", kDemoGptJ, "-q", "-n", "4", "-s", "1"};
  args.insert(args.end(), more.begin(), more.end());
  return args;
}

/// What the program shows for a line up to the next prompt; the line itself is left out.
std::string reply(Terminal& terminal, const std::string& line) {
  terminal.type(line + "\r");
  terminal.wait_for("\n");
  std::string text = terminal.wait_for("\n" + kPrompt);
  return text.substr(0, text.size() - kPrompt.size());
}

/// Leaves with Ctrl-D.
void leave(Terminal& terminal) {
  terminal.type("\x04");
  EXPECT_EQ(terminal.finish().code, 0);
}

TEST(ChatTerminal, AnswersAndKeepsTheText) {
  Terminal terminal(chat());
  terminal.wait_for(kPrompt);
  const std::string first = reply(terminal, "int main(");
  EXPECT_GT(first.size(), 2U);
  const std::string second = reply(terminal, "return");
  const std::string text = reply(terminal, "/show prompt");
  EXPECT_TRUE(text.starts_with("int main(\n" + first.substr(0, first.size() - 1))) << text;
  EXPECT_TRUE(contains(text, "return\n" + second.substr(0, second.size() - 1)));
  leave(terminal);
}

TEST(ChatTerminal, LinesCanBeEdited) {
  Terminal terminal(chat({"-n", "0"}));
  terminal.wait_for(kPrompt);
  reply(terminal,
        "wurld\x01hello \x05!\x02\x02\x02\x02\x08o\x04");  // home, end, 4 back, rubout, an o; deletes "r"
  EXPECT_EQ(reply(terminal, "/show prompt"), "hello wold!\n\n");
  reply(terminal, "/undo");
  reply(terminal, "f\xc3\xbc\xc3\xb6\x7f\xe4\xb8\x96");  // rubout takes a whole character
  EXPECT_TRUE(contains(reply(terminal, "/show prompt"), "f\xc3\xbc\xe4\xb8\x96\n"));
  reply(terminal, "/undo");
  reply(terminal, "ab\x1b[D_\x1b[C\x1b[H<\x1b[F>");  // arrows, home, end
  EXPECT_TRUE(contains(reply(terminal, "/show prompt"), "<a_b>\n"));
  leave(terminal);
}

TEST(ChatTerminal, AModelFileThatIsCutOffMeanwhileEndsTheProgramWithAMessage) {
  const TemporaryDirectory directory;
  const std::string model = directory / "model.gptj";  // used where it lies
  ASSERT_EQ(gptj({"convert", kDemoGptJ, model}).code, 0);
  Terminal terminal({"chat", "-m", model, "-q", "-n", "4"});
  terminal.wait_for(kPrompt);
  std::filesystem::resize_file(model, 4096);
  terminal.type("int main(\r");
  const Finished f = terminal.finish();
  EXPECT_EQ(f.code, 1);
  EXPECT_TRUE(contains(f.out, "somebody cut the file off"));
}

TEST(ChatTerminal, TheHistoryIsKeptFromRunToRun) {
  const TemporaryDirectory state;
  const std::string file = state / "gpt-j/history";
  for (const std::string key : {"", "\x1b[A", "\x10", "\x12world"}) {  // up, Ctrl-P, Ctrl-R
    std::map<std::string, std::string> environment = {{"GPTJ_HISTORY", file}};
    Terminal terminal(chat({"-n", "0"}), environment);
    terminal.wait_for(kPrompt);
    if (key.empty()) {
      reply(terminal, "hello world");
    } else {
      terminal.type(key);
      terminal.wait_for("hello world");
      terminal.type("\x05!\r");
      terminal.wait_for("\n" + kPrompt);
      EXPECT_TRUE(contains(reply(terminal, "/show prompt"), "hello world!"));
      reply(terminal, "hello world");
    }
    leave(terminal);
  }
  const auto mode = std::filesystem::status(file).permissions();
  EXPECT_EQ(mode & (std::filesystem::perms::group_all | std::filesystem::perms::others_all),
            std::filesystem::perms::none);
}

TEST(ChatTerminal, AHistoryThatCannotBeKeptIsNoFailure) {
  const TemporaryDirectory directory;
  const std::string file = directory.file("letter", "Dear all");
  for (const std::string& path : {file, file + "/below", std::string("/proc/none")}) {
    Terminal terminal({"chat", "-m", kDemoGptJ, "-n", "0"}, {{"GPTJ_HISTORY", path}});
    terminal.wait_for(kPrompt);
    reply(terminal, "hello");
    terminal.type("\x04");
    const Finished f = terminal.finish();
    EXPECT_EQ(f.code, 0);
    EXPECT_TRUE(contains(f.out, "chat: ")) << path;
    EXPECT_TRUE(contains(f.out, path));
  }
  std::ifstream in(file);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), "Dear all");
}

TEST(ChatTerminal, CtrlCStopsAnAnswerAndNoMore) {
  Terminal terminal(chat({"-n", "-1", "--ignore-eos"}));
  terminal.wait_for(kPrompt);
  for (int i = 0; i < 2; ++i) {
    terminal.type("int main(\r");
    terminal.wait_for_bytes(1000);
    terminal.type("\x03");
    terminal.wait_for("\n" + kPrompt);
  }
  EXPECT_TRUE(contains(reply(terminal, "/show"), "2 exchanges"));
  leave(terminal);
}

TEST(ChatTerminal, CtrlCTwiceLeaves) {
  Terminal terminal(chat());
  terminal.wait_for(kPrompt);
  terminal.type("some words");
  terminal.wait_for("some words");
  terminal.type("\x03");
  terminal.wait_for(kPrompt);  // the line is dropped
  terminal.type("\x03");
  terminal.wait_for("/exit ends");
  terminal.wait_for(kPrompt);
  EXPECT_TRUE(contains(reply(terminal, "/show"), "0 exchanges"));
  terminal.type("\x03");  // what was typed in between counts
  terminal.wait_for("/exit ends");
  terminal.wait_for(kPrompt);
  terminal.type("\x03");
  const Finished f = terminal.finish();
  EXPECT_EQ(f.code, 0);
  EXPECT_EQ(f.signal, 0);
}

TEST(ChatTerminal, SignalsEndIt) {
  for (const int signal : {SIGTERM, SIGHUP}) {
    Terminal waiting(chat());
    waiting.wait_for(kPrompt);
    waiting.send(signal);
    EXPECT_EQ(waiting.finish().code, 128 + signal);

    Terminal answering(chat({"-n", "-1", "--ignore-eos"}));
    answering.wait_for(kPrompt);
    answering.type("int main(\r");
    answering.wait_for_bytes(1000);
    answering.send(signal);
    EXPECT_EQ(answering.finish().code, 128 + signal);
  }
}

TEST(ChatTerminal, AStopAndAnotherSizeDisturbNothing) {
  Terminal terminal(chat({"-n", "0"}));
  terminal.wait_for(kPrompt);
  terminal.type("hel");
  terminal.wait_for("hel");
  terminal.send(SIGSTOP);
  terminal.send(SIGCONT);
  terminal.send(SIGWINCH);
  reply(terminal, "lo");
  EXPECT_EQ(reply(terminal, "/show prompt"), "hello\n\n");
  leave(terminal);
}

TEST(ChatTerminal, ColoursAreWhereTheyAreWanted) {
  const auto shown = [](const std::map<std::string, std::string>& environment) {
    Terminal terminal(chat({"-n", "0"}), environment);
    terminal.wait_for(">");
    terminal.wait_for(" ");
    terminal.type("hello\r");
    terminal.wait_for("\n");
    terminal.wait_for(">");
    terminal.type("/exit\r");
    return terminal.finish().out;
  };
  EXPECT_TRUE(contains(shown({{"NO_COLOR", ""}}), "\x1b[1;32m>"));
  EXPECT_FALSE(contains(shown({{"NO_COLOR", "1"}}), "\x1b["));
  EXPECT_FALSE(contains(shown({{"NO_COLOR", ""}, {"TERM", "dumb"}}), "\x1b"));
}

TEST(ChatTerminal, TabCompletesCommands) {
  Terminal terminal(chat());
  terminal.wait_for(kPrompt);
  terminal.type("/sho\t");
  terminal.wait_for("w ");
  terminal.type("pr\t\r");
  terminal.wait_for("\n" + kPrompt);
  terminal.type("/s\t");
  const std::string list = terminal.wait_for("/system");
  EXPECT_TRUE(contains(list, "/save\n"));
  terminal.type("\x15");  // empties the line
  reply(terminal,
        "/preset d\t\x7flly");  // "dialogpt" and "dolly" begin alike: nothing is added, and "d" is typed over
  terminal.type("\x04");
  EXPECT_EQ(terminal.finish().code, 0);
}

TEST(ChatTerminal, MessagesOfSeveralLines) {
  Terminal terminal(chat({"-n", "0"}));
  terminal.wait_for(kPrompt);
  terminal.type("one\\\r");
  terminal.wait_for("... ");
  terminal.type("two\r");
  terminal.wait_for("\n" + kPrompt);
  terminal.type("\"\"\"/three\r");
  terminal.wait_for("... ");
  terminal.type("\r");
  terminal.wait_for("... ");
  terminal.type("four\"\"\"\r");
  terminal.wait_for("\n" + kPrompt);
  EXPECT_EQ(reply(terminal, "/show prompt"), "one\ntwo\n/three\n\nfour\n\n");
  terminal.type("\"\"\"dropped\r");
  terminal.wait_for("... ");
  terminal.type("\x03");
  terminal.wait_for(kPrompt);
  EXPECT_EQ(reply(terminal, "/show prompt"), "one\ntwo\n/three\n\nfour\n\n");
  leave(terminal);
}

TEST(ChatTerminal, AnErrorIsToldAndTheConversationGoesOn) {
  Terminal terminal(chat({"-n", "0"}));
  terminal.wait_for(kPrompt);
  reply(terminal, "hello");
  EXPECT_TRUE(contains(reply(terminal, "/shw"), "no command is called '/shw'; did you mean '/show'?"));
  EXPECT_TRUE(contains(reply(terminal, "/load none.json"), "'none.json'"));
  EXPECT_TRUE(contains(reply(terminal, "/set tmp 1"), "no setting is called 'tmp'"));
  EXPECT_TRUE(contains(reply(terminal, "/show"), "1 exchange,"));
  leave(terminal);
}

}  // namespace
}  // namespace gptj::test
