// What the program writes for shells and for man: completed by real shells, read by the real formatter.

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <utility>

#include "process.h"

namespace gptj::test {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

/// Commands, and the one without a word.
Words all_commands() {
  Words all = lines(gptj({"man", "--list"}).out);
  EXPECT_GT(all.size(), 10U);
  all.insert(all.begin(), "");
  return all;
}

Words with_command(const std::string& command, Words words) {
  if (!command.empty()) words.insert(words.begin(), command);
  return words;
}

/// All names of options that the command's help shows: those before the two spaces that end them.
Words options_in_help(const std::string& command) {
  Words names;
  for (const std::string& line : lines(gptj(with_command(command, {"--help"})).out)) {
    if (!line.starts_with("  -")) continue;
    const std::string shown = line.substr(2, line.find(' ', 2) - 2);
    for (size_t at = 0; at < shown.size();) {
      const size_t comma = std::min(shown.find(',', at), shown.size());
      names.push_back(shown.substr(at, comma - at));
      at = comma + 1;
    }
  }
  EXPECT_GE(names.size(), 2U) << command;  // at least -h,--help
  return names;
}

/// The longest runs of letters, digits, dashes and underscores.
std::set<std::string> names_in(const std::string& text) {
  std::set<std::string> names;
  std::string name;
  for (const char c : text + " ") {
    const bool is_part = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
    if (is_part) {
      name += c;
    } else if (!name.empty()) {
      names.insert(std::exchange(name, ""));
    }
  }
  return names;
}

bool has_program(const std::string& name) {
  Start start{.program = "/bin/sh", .args = {"-c", "command -v " + name}};
  return run(start).code == 0;
}

/// In a directory with a file and a directory; one model was fetched.
class Completion : public ::testing::Test {
 protected:
  Completion() {
    const std::string commit(40, 'a');
    fs::create_directories(directory / ("hub/models--org--tiny/snapshots/" + commit));
    fs::create_directories(directory / "hub/models--org--tiny/refs");
    directory.file("hub/models--org--tiny/refs/main", commit);
    directory.file("some text.txt", "");
    fs::create_directories(directory / "some directory");
    ::setenv("HF_HUB_CACHE", (directory / "hub").c_str(), 1);
  }
  ~Completion() override { ::unsetenv("HF_HUB_CACHE"); }

  std::string script(const std::string& shell) const {
    const Finished f = gptj({"completion", shell});
    EXPECT_EQ(f.code, 0) << f.err;
    return directory.file("script." + shell, f.out);
  }

  TemporaryDirectory directory;
};

class Bash : public Completion {
 protected:
  /// What bash offers for the last word of a line of gpt-j; "compopt ..." is what readline is asked to do itself.
  Words offers(const Words& words) const {
    constexpr const char* kComplete = R"(
      source "$1"; program=$2; shift 2
      compopt() { echo "compopt $*"; }
      COMP_WORDS=(gpt-j "$@") COMP_CWORD=$#
      [[ $(complete -p gpt-j) =~ -F\ ([^ ]+)\ gpt-j ]] || exit 1
      "${BASH_REMATCH[1]}" "$program" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
      [[ ${#COMPREPLY[@]} -eq 0 ]] || printf '%s\n' "${COMPREPLY[@]}")";
    Start start{.program = "/bin/bash",
                .args = {"--norc", "-c", kComplete, "bash", file, GPTJ_PROGRAM},
                .directory = directory.path()};
    start.args.insert(start.args.end(), words.begin(), words.end());
    const Finished f = run(start);
    EXPECT_EQ(f.code, 0);
    EXPECT_EQ(f.err, "");
    Words offered = lines(f.out);
    std::sort(offered.begin(), offered.end());  // as bash does, too; directories have no order
    return offered;
  }

  const std::string file = script("bash");
};

TEST_F(Bash, OffersEveryOptionOfEveryCommand) {
  for (const std::string& command : all_commands()) {
    Words options = options_in_help(command);
    std::sort(options.begin(), options.end());
    EXPECT_EQ(offers(with_command(command, {"-"})), options) << command;
  }
}

TEST_F(Bash, OffersCommandsOnlyFirst) {
  EXPECT_EQ(offers({""}).size(), all_commands().size() - 1);
  EXPECT_EQ(offers({"qu"}), Words{"quantize"});
  EXPECT_EQ(offers({"-q", "qu"}), Words{});
  EXPECT_EQ(offers({"list", "qu"}), Words{});
}

TEST_F(Bash, OffersTheChoicesOfAValue) {
  EXPECT_EQ(offers({"--kv-type", ""}), (Words{"f16", "f32", "int8"}));
  EXPECT_EQ(offers({"--kv-type", "i"}), Words{"int8"});
  EXPECT_EQ(offers({"--kv-type", "="}), (Words{"f16", "f32", "int8"}));  // as readline divides "--kv-type="
  EXPECT_EQ(offers({"--kv-type", "=", "i"}), Words{"int8"});
  EXPECT_EQ(offers({"convert", "--to", "g"}), (Words{"ggml", "gguf"}));
  EXPECT_EQ(offers({"convert", "--type", "q8"}), (Words{"q8", "q8_0"}));
  EXPECT_EQ(offers({"completion", ""}), (Words{"bash", "zsh"}));
}

TEST_F(Bash, OffersFilesDirectoriesAndModels) {
  EXPECT_EQ(offers({"-f", "so"}), Words{"compopt -o default"});
  const Words files = {"compopt -o filenames -o default", "some directory", "some text.txt"};
  EXPECT_EQ(offers({"-m", "some"}), files);
  EXPECT_EQ(offers({"--model", "=", "some"}), files);
  EXPECT_EQ(offers({"-m", "or"}), (Words{files[0], "org/tiny"}));
  EXPECT_EQ(offers({"rm", ""}), Words{"org/tiny"});
  EXPECT_EQ(offers({"logits", "--dump", ""}), Words{"compopt -o dirnames"});
}

TEST_F(Bash, KnowsWhichArgumentComesNext) {
  EXPECT_EQ(offers({"quantize", "some"}).size(), 3U);
  EXPECT_EQ(offers({"quantize", "in", "some"}), Words{"compopt -o default"});
  EXPECT_EQ(offers({"quantize", "in", "out", "q8"}), (Words{"q8", "q8_0"}));
  EXPECT_EQ(offers({"quantize", "-t", "2", "in", "-v", "--imatrix", "=", "x", "out", "q8"}),
            (Words{"q8", "q8_0"}));
  EXPECT_EQ(offers({"quantize", "in", "out", "q8", "--ver"}), Words{"--verbose"});
  for (const char* spelling : {"--ctx_size", "--ctx-size"}) {
    EXPECT_EQ(offers({"inspect", spelling, "8", "or"}),
              (Words{"compopt -o filenames -o default", "org/tiny"}));
  }
  EXPECT_EQ(offers({"-p", "convert", "--temp", ""}), Words{});  // a number, and no command was given
}

class Zsh : public Completion {
 protected:
  void SetUp() override {
    if (!has_program("zsh")) GTEST_SKIP() << "zsh is not here";
  }

  /// What an interactive zsh makes of these lines, with a tab behind each.
  Words completed(const std::string& typed) const {
    const char* const path = std::getenv("PATH");
    const std::string with_program =
        fs::path(GPTJ_PROGRAM).parent_path().string() + ":" + (path == nullptr ? "" : path);
    Start start{.program = "/usr/bin/env",
                .args = {"PATH=" + with_program, "zsh", "-f", GPTJ_COMPLETION_ZSH, script("zsh")},
                .directory = directory.path(),
                .input = typed};
    const Finished f = run(start);
    EXPECT_EQ(f.code, 0);
    EXPECT_EQ(f.err, "");
    return lines(f.out);
  }
};

TEST_F(Zsh, CompletesCommandsOptionsAndValues) {
  const Words done = completed(
      "gpt-j quan\n"
      "gpt-j --ignore\n"
      "gpt-j --kv-type in\n"
      "gpt-j --kv-type=in\n"
      "gpt-j convert a b --imat\n"
      "gpt-j quantize a b q8_\n"
      "gpt-j -f some\\ t\n"
      "gpt-j -m some\\ t\n"
      "gpt-j -m or\n"
      "gpt-j rm o\n");
  const Words expected = {
      "gpt-j quantize ",           "gpt-j --ignore-eos ",          "gpt-j --kv-type int8 ",
      "gpt-j --kv-type=int8 ",     "gpt-j convert a b --imatrix=", "gpt-j quantize a b q8_0 ",
      "gpt-j -f some\\ text.txt ", "gpt-j -m some\\ text.txt ",    "gpt-j -m org/tiny ",
      "gpt-j rm org/tiny "};
  EXPECT_EQ(done, expected);
}

TEST_F(Zsh, KnowsEveryOptionOfEveryCommand) {
  const std::string all = gptj({"completion", "zsh"}).out;
  for (const std::string& command : all_commands()) {
    const size_t begin = all.find("\n    " + (command.empty() ? "*" : command) + ")\n");
    ASSERT_NE(begin, std::string::npos) << command;
    const std::set<std::string> names = names_in(all.substr(begin, all.find(";;", begin) - begin));
    for (const std::string& option : options_in_help(command)) {
      EXPECT_EQ(names.count(option), 1U) << command << " " << option;
    }
  }
}

TEST(Man, EveryOptionOfEveryCommandIsInItsPage) {
  for (const std::string& command : all_commands()) {
    std::string page = gptj(command.empty() ? Words{"man"} : Words{"man", command}).out;
    for (const char* markup : {"\\fB", "\\fI", "\\fR"}) {
      for (size_t at = 0; (at = page.find(markup)) != std::string::npos;) page.replace(at, 3, " ");
    }
    page.erase(std::remove(page.begin(), page.end(), '\\'), page.end());
    const std::set<std::string> names = names_in(page);
    for (const std::string& option : options_in_help(command)) {
      EXPECT_EQ(names.count(option), 1U) << command << " " << option;
    }
    EXPECT_EQ(names.count(command.empty() ? "gpt-j" : "gpt-j-" + command), 1U);
  }
}

TEST(Man, PagesAreWithoutFault) {
  if (!has_program("groff")) GTEST_SKIP() << "groff is not here";
  const TemporaryDirectory directory;
  for (const std::string& command : all_commands()) {
    const Finished page = gptj(command.empty() ? Words{"man"} : Words{"man", command});
    EXPECT_EQ(page.code, 0) << page.err;
    Start start{.program = "/usr/bin/env",
                .args = {"groff", "-man", "-Tutf8", "-ww", "-z", directory.file("page.1", page.out)}};
    const Finished f = run(start);
    EXPECT_EQ(f.code, 0) << command;
    EXPECT_EQ(f.err, "") << command;
  }
}

TEST(Man, TheOtherProgramHasItsOwnNames) {
  Start start{.program = GPTJ_GPT2_PROGRAM, .args = {"man", "convert"}};
  EXPECT_TRUE(contains(run(start).out, "gpt\\-2\\-convert \\- writes a model"));
  start.args = {"completion", "bash"};
  EXPECT_TRUE(contains(run(start).out, "complete -F _gpt_2 gpt-2\n"));
}

}  // namespace
}  // namespace gptj::test
