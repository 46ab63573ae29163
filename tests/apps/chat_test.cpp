// `gpt-j chat` from a pipe: what the model reads, the commands, and what is refused.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "process.h"

namespace gptj::test {
namespace {

/// The program's end after these lines.
Finished chat(const std::string& input, std::vector<std::string> more = {}) {
  std::vector<std::string> args = {"chat", "-m", kDemoGptJ, "-q", "-n", "0", "-s", "1"};
  args.insert(args.end(), more.begin(), more.end());
  return gptj(args, input);
}

std::string output(const std::string& input, const std::vector<std::string>& more = {}) {
  const Finished f = chat(input, more);
  EXPECT_EQ(f.code, 0);
  EXPECT_EQ(f.err, "");
  return f.out;
}

std::string failure(const std::string& input, const std::vector<std::string>& more = {}) {
  const Finished f = chat(input, more);
  EXPECT_EQ(f.code, 1);
  EXPECT_EQ(lines(f.err).size(), 1U) << f.err;
  return f.err;
}

/// What stands after the last line that says only `mark`.
std::string after_mark(const std::string& out, const std::string& mark) {
  const size_t at = out.rfind("\n" + mark);
  return at == std::string::npos ? "none" : out.substr(at + 1 + mark.size());
}

std::string read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(Chat, APipeGetsAnswersAndNothingElse) {
  const std::string plain = gptj({"-m", kDemoGptJ, "-q", "-n", "8", "-s", "1", "-p", "int main(\n"}).out;
  const std::string answer = output("int main(\n", {"-n", "8"});
  EXPECT_TRUE(plain == "int main(\n" + answer || plain == "int main(\n" + answer + "\n")
      << answer;  // or it ends a line
  EXPECT_EQ(output(""), "");
  EXPECT_EQ(output("int\r\n/show prompt"), "\nint\n\n");  // no newline at the end, Windows' newlines
}

TEST(Chat, TheOptionIIsTheSame) {
  const std::vector<std::string> options = {"-m", kDemoGptJ, "-q", "-n", "8", "-s", "1"};
  std::vector<std::string> i = options, word = {"chat"};
  i.insert(i.begin() + 2, "-i");
  word.insert(word.end(), options.begin(), options.end());
  EXPECT_EQ(gptj(i, "int main(\n").out, gptj(word, "int main(\n").out);
  EXPECT_TRUE(contains(gptj({"-i", "--help"}).out, "gpt-j chat"));
  EXPECT_TRUE(gptj({"-m", kDemoGptJ, "-q", "-n", "0", "-p", "-i"}).out.starts_with("-i\n"));  // is a text
}

TEST(Chat, PresetsAsTheModelsWereTrained) {
  const struct {
    const char *preset, *text;
  } kTexts[] = {
      {"plain", "Be kind.\nHello\nAnd you?\n\n"},
      {"pygmalion", "Bot's Persona: Be kind.\n<START>\nYou: Hello\nBot:\nYou: And you?\nBot:\n"},
      {"dolly",
       "Be kind.\n\n### Instruction:\nHello\n\n### Response:\n\n\n### End\n\n### Instruction:\nAnd you?\n\n"
       "### Response:\n\n"},
      {"gpt4all-j",
       "### Instruction:\nBe kind.\n### Prompt:\nHello\n### Response:\n\n### Prompt:\nAnd you?\n### "
       "Response:\n\n"},
      {"dialogpt", "Be kind.<|endoftext|>Hello<|endoftext|><|endoftext|>And you?<|endoftext|>\n"}};
  for (const auto& [preset, text] : kTexts) {
    const std::string out = output("/system Be kind.\nHello\nAnd you?\n/show prompt\n", {"--preset", preset});
    EXPECT_EQ(out, std::string("system text: 'Be kind.'\n\n\n") + text) << preset;
  }
  EXPECT_TRUE(contains(output("Hello\n/show prompt\n", {"--preset", "dolly"}), "Below is an instruction"));
}

TEST(Chat, TheEndOfTextTokenOfATemplateIsOneToken) {
  EXPECT_TRUE(contains(output("/show\n", {"--preset", "dialogpt"}), "0 exchanges, 0 tokens"));
  const std::string out = output("int\n/show\n", {"--preset", "dialogpt"});
  const Finished alone = gptj({"tokenize", "-m", kDemoGptJ, "-q", "-p", "int"});
  const size_t n = lines(alone.out).size();
  EXPECT_TRUE(contains(out, "1 exchange, " + std::to_string(n + 1) + " tokens"));
}

TEST(Chat, AReversePromptGivesTheTurnBack) {
  const std::vector<std::string> options = {"-n", "400", "-r", "(", "--ignore-eos"};
  const std::string out = output("static int\nargc\n/show prompt\n", options);
  const std::string first = out.substr(0, out.find('\n') + 1);
  EXPECT_FALSE(contains(first, "("));
  EXPECT_TRUE(contains(out, "( argc\n"));  // it is part of the text, and what follows is the user's
  EXPECT_EQ(output("", {"-p", "User:", "-r", "User:", "-n", "8"}), "");  // the user's turn
}

TEST(Chat, APlainTextIsContinuedAtOnce) {
  const std::string text = gptj({"-m", kDemoGptJ, "-q", "-n", "8", "-s", "1", "-p", "int main("}).out;
  EXPECT_EQ(output("", {"-p", "int main(", "-n", "8"}), text);
  const TemporaryDirectory directory;
  EXPECT_EQ(output("", {"-f", directory.file("p", "int main(\n"), "-n", "8"}), text);
}

TEST(Chat, AnEmptyLineLetsTheModelGoOn) {
  const std::string whole = output("int main(\n", {"-n", "16", "--temp", "0"});
  const std::string parts = output("int main(\n\n/show prompt\n", {"-n", "8", "--temp", "0"});
  EXPECT_TRUE(contains(parts, "int main(\n" + whole));
  EXPECT_TRUE(contains(failure("\n", {"--preset", "dolly"}), "nothing to go on with"));
}

TEST(Chat, AnswersCanBeTakenBack) {
  const std::string out = output("int main(\n/retry\n/show\n/undo\n/show\n", {"-n", "16"});
  EXPECT_TRUE(contains(out, "1 exchange,"));
  EXPECT_TRUE(contains(out, "the last exchange is removed; 0 exchanges left\n"));
  EXPECT_TRUE(contains(out, "0 exchanges, 0 tokens"));
  const std::string first = output("int main(\n", {"-n", "16"});
  EXPECT_TRUE(out.starts_with(first));
  EXPECT_FALSE(out.substr(first.size()).starts_with(first));  // another answer
  EXPECT_TRUE(contains(failure("/retry\n"), "nothing was said"));
  EXPECT_TRUE(contains(failure("/undo\n"), "nothing was said"));
  EXPECT_TRUE(contains(output("int\n/reset\n/show\n"), "0 exchanges, 0 tokens"));
  EXPECT_TRUE(contains(failure("/show all\n"), "expected nothing or 'prompt', found 'all'"));
  EXPECT_TRUE(contains(output("\n/show\n", {"-n", "4"}), "1 exchange, 4 tokens"));  // begun from nothing
  EXPECT_EQ(output("\"\"\"\nint\n\"\"\"\n/show prompt\n"), "\nint\n\n");
}

TEST(Chat, SettingsCanBeChanged) {
  EXPECT_TRUE(contains(output("/set n_predict 5\n/set\n"), "n-predict              5 "));
  EXPECT_TRUE(contains(output("/set stop \"\\nUser:\"\n/set stop Bob\n/set stop\n"), "\"\\nUser:\" \"Bob\""));
  EXPECT_TRUE(contains(output("/set stop \"\"\n/show\n", {"-r", "x"}), "stop                   none"));
  EXPECT_TRUE(contains(failure("/set n-predict x\n"),
                       "n-predict: expected a whole number of at least -1, found 'x'"));
  EXPECT_TRUE(contains(failure("/set max-time -1\n"), "max-time: expected a number from 0 to"));
  EXPECT_TRUE(contains(failure("/set sede 1\n"), "did you mean 'seed'?"));
  EXPECT_TRUE(contains(failure("/set bogus 1\n"), "no setting is called 'bogus' (/set shows all)"));
  EXPECT_FALSE(contains(output("/show\n"), "temp "));
  EXPECT_TRUE(contains(output("/set temp 0\n/show\n"), "temp                   0 "));
  EXPECT_TRUE(contains(output("/set top_p\n"), "top-p                  0.9 "));
  EXPECT_TRUE(contains(output("/set banned_string \"a\\n\"\n"), "\"a\\n\""));
  EXPECT_TRUE(contains(output("/set dry-sequence-breaker\n"), R"(dry-sequence-breaker   \n : " * )"));
  EXPECT_TRUE(contains(output("/set dry-sequence-breaker ;\n/set dry-sequence-breaker\n"), "\";\""));
  EXPECT_TRUE(contains(failure("/set temp -1\n"), "temp: expected a number from 0 to"));
  EXPECT_TRUE(contains(failure("/set banned-token 4096\n"), "4096"));
  const std::string greedy = output("int main(\n", {"-n", "8", "--temp", "0"});
  EXPECT_TRUE(output("/set temp 0\nint main(\n", {"-n", "8"}).ends_with("\n" + greedy));
}

TEST(Chat, AConversationCanBeSavedAndLoaded) {
  const TemporaryDirectory directory;
  const std::string file = directory / "talk.json";
  const std::vector<std::string> dolly = {"--preset", "dolly", "-n", "8"};
  const std::string saved =
      output("Hello\nint\n/system Be \"kind\".\n/save " + file + "\n/show prompt\n", dolly);
  const std::string loaded = output("/load " + file + "\n/show prompt\n");
  EXPECT_EQ(after_mark("\n" + loaded, "2 exchanges loaded, preset dolly\n"),
            after_mark(saved, "2 exchanges saved in '" + file + "'\n"));

  const nlohmann::json json = nlohmann::json::parse(read(file));
  EXPECT_EQ(json["preset"], "dolly");
  EXPECT_EQ(json["system"], "Be \"kind\".");
  EXPECT_EQ(json["messages"].size(), 4U);
  EXPECT_EQ(json["messages"][0], (nlohmann::json{{"role", "user"}, {"text", "Hello"}}));
  EXPECT_EQ(json["messages"][1]["role"], "assistant");

  EXPECT_TRUE(contains(failure("/save " + (directory / "none/talk.json") + "\n"), "none/talk.json"));
  EXPECT_TRUE(contains(failure("/save\n"), "expected a file's name"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory.path()), {}),
            1);  // nothing half-written

  const std::string other = directory.file("other", "int");
  EXPECT_TRUE(contains(failure("/save " + other + "\n"), "found another file"));
}

TEST(Chat, AFileThatCannotBeReadIsNamed) {
  const TemporaryDirectory directory;
  const std::string file = directory.file("broken", "user = \"{}\"\n");
  for (const std::string& said : {failure("/load " + file + "\n"), failure("", {"--preset", file})}) {
    EXPECT_TRUE(contains(said, file));
  }
  EXPECT_TRUE(contains(failure("", {"--preset", "doly"}), "did you mean 'dolly'?"));
  EXPECT_TRUE(contains(failure("/preset none\n"), "dialogpt, dolly, gpt4all-j, plain, pygmalion or a file"));
}

TEST(Chat, APresetMayBeAFile) {
  const TemporaryDirectory directory;
  const std::string own =
      directory.file("own", "# mine\n\nuser = \"<{}>\\n\"\r\n  assistant=\"\\t\\\"{}\\\"\\\\\"\n");
  EXPECT_EQ(output("a\nb\n/show prompt\n", {"--preset", own}), "\n\n<a>\n\t\"\"\\<b>\n\t\"\n");
  EXPECT_TRUE(contains(output("a\n/preset " + own + "\n/show prompt\n"), "\n<a>\n\t\"\n"));
}

/// Messages that say their number, `n` of them, and a look at what the model reads.
std::string many_messages(int n) {
  std::string input;
  for (int i = 0; i < n; ++i) input += "message " + std::to_string(i) + "\n";
  return input + "/show prompt\n";
}

TEST(Chat, ALongConversationLosesItsOldestExchanges) {
  for (const std::string& model : {kDemoGptJ, kDemoGpt2}) {  // whose positions can move, and cannot
    const Finished f =
        gptj({"chat", "-m", model, "-n", "16", "-s", "1", "-c", "128", "--preset", "dolly", "-p", "Be kind."},
             many_messages(12));
    EXPECT_EQ(f.code, 0) << f.err;
    EXPECT_EQ(f.err.find("the context is full"), f.err.rfind("the context is full"));
    EXPECT_TRUE(contains(f.err, "the context is full"));
    const std::string seen = f.out.substr(f.out.rfind("Be kind."));
    EXPECT_TRUE(seen.starts_with("Be kind.\n\n### Instruction:\nmessage ")) << seen;
    EXPECT_TRUE(contains(seen, "message 11\n"));
    EXPECT_FALSE(contains(seen, "message 0\n"));
  }
}

TEST(Chat, ALongPlainTextGoesOn) {
  const Finished f =
      gptj({"chat", "-m", kDemoGptJ, "-n", "100", "--ignore-eos", "-s", "1", "-c", "128", "-p", "/*"},
           "\n\nint x\n/show prompt\n");
  EXPECT_EQ(f.code, 0) << f.err;
  EXPECT_TRUE(contains(f.err, "the context is full"));
  EXPECT_TRUE(contains(f.out, "int x\n"));
}

TEST(Chat, EachAnswerFollowsTheGrammar) {
  for (const std::vector<std::string>& grammar : {std::vector<std::string>{"--regex", "[0-9]{3}x"},
                                                  {"--grammar", "root ::= [0-9] [0-9] [0-9] \"x\""},
                                                  {"--json-schema", R"({"const": 5})"}}) {
    std::vector<std::string> options = {"-n", "20", "--preset", "dolly"};
    options.insert(options.end(), grammar.begin(), grammar.end());
    const std::vector<std::string> answers = lines(output("int\nchar\n/retry\n", options));
    ASSERT_EQ(answers.size(), 3U);
    for (const std::string& answer : answers) EXPECT_TRUE(answer == "5" || matches(answer, "###x")) << answer;
  }
  EXPECT_TRUE(contains(failure("", {"--regex", "("}), "--regex: "));
}

TEST(Chat, AnAnswerTakesNoLongerThanItMay) {
  const std::vector<std::string> endless = {"chat", "-m", kDemoGptJ, "-n", "-1", "--ignore-eos"};
  std::vector<std::string> limited = endless;
  limited.insert(limited.end(), {"--max-time", "0.2"});
  for (const Finished& f :
       {gptj(limited, "int\n/show\n"), gptj(endless, "/set max_time 0.2\nint\n/show\n")}) {
    EXPECT_EQ(f.code, 0) << f.err;
    EXPECT_TRUE(has_line(f.err, "chat: stopped after 0.2 seconds"));
    EXPECT_FALSE(contains(f.err, "ended the text at once"));
    EXPECT_TRUE(contains(f.out, "1 exchange,"));
    EXPECT_TRUE(contains(f.out, "max-time               0.2 "));
  }
}

TEST(Chat, ASessionIsNotReadAgain) {
  const TemporaryDirectory directory;
  const std::string session = directory / "s", talk = directory / "talk";
  const auto said = [&](const std::string& input) {
    const Finished f = gptj(
        {"chat", "-m", kDemoGptJ, "-v", "-n", "8", "--temp", "0", "--preset", "dolly", "--session", session},
        input);
    EXPECT_EQ(f.code, 0) << f.err;
    return f;
  };
  const Finished first = said("int main\n/save " + talk + "\n");
  EXPECT_TRUE(has_line(first.err, "main:       session = % tokens written in %.## ms"));
  EXPECT_TRUE(contains(first.err, "(0 were known)"));
  const Finished second = said("/load " + talk + "\nchar\n");
  EXPECT_FALSE(contains(second.err, "(0 were known)"));
  EXPECT_TRUE(has_line(second.err, "main:       session = % tokens written in %.## ms"));
  EXPECT_FALSE(contains(said("/exit\n").err, "tokens written"));  // as it was
  EXPECT_TRUE(contains(said("int main\n").err, "tokens were there"));
}

TEST(Chat, PromptsCanBeReadBothWays) {
  const auto answers = [](const std::vector<std::string>& more) { return output("static int\n", more); };
  const std::vector<std::string> options = {"-n", "30", "-c", "200", "--temp", "0", "-b", "2"};
  std::vector<std::string> both = options;
  both.push_back("--prefix-lm");
  EXPECT_EQ(
      "static int\n" + answers(both),
      gptj({"-m", kDemoGptJ, "-q", "-n", "30", "--temp", "0", "--prefix-lm", "-p", "static int\n"}).out);
  EXPECT_NE(answers(both), answers(options));
}

TEST(Chat, ATooLongMessageIsRefused) {
  const std::string longest(2000, '(');
  EXPECT_TRUE(contains(failure(longest + "\n", {"-c", "64", "--preset", "dolly"}),
                       "too long: expected at most 63 tokens"));
}

TEST(Chat, CommandsAreHelpful) {
  const std::string help = output("/help\n");
  for (const std::string name :
       {"help", "reset", "save", "load", "set", "show", "system", "preset", "retry", "undo", "exit"}) {
    EXPECT_TRUE(contains(help, "/" + name + " "));
  }
  EXPECT_TRUE(contains(failure("/shw\n"), "no command is called '/shw'; did you mean '/show'?"));
  EXPECT_TRUE(contains(failure("/quit\n"), "no command is called '/quit' (/help shows all)"));
  EXPECT_TRUE(contains(failure("/undo 1\n"), "/undo: expected nothing after it, found '1'"));
  EXPECT_EQ(output("/exit\nint\n"), "");
  EXPECT_TRUE(contains(gptj({"chat", "--help"}).out, "--preset"));
  EXPECT_EQ(gptj({"chat", "-r", ""}).code, 2);
}

}  // namespace
}  // namespace gptj::test
