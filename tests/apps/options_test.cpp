// The command line itself: what is accepted, what is refused and how, before any model is opened.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <ostream>

#include "cli/number.h"
#include "gptj/sampler.h"
#include "process.h"
#include "program.h"
#include "terminal.h"

namespace gptj::test {
namespace {

/// A refused command line: exit code 2 and one line on stderr, which is returned.
std::string refusal(std::vector<std::string> args) {
  const Finished f = gptj(std::move(args));
  EXPECT_EQ(f.code, 2);
  EXPECT_EQ(f.out, "");
  EXPECT_EQ(lines(f.err).size(), 1U) << f.err;
  return f.err;
}

TEST(Options, HelpGroupsOptionsAndShowsDefaults) {
  for (const char* name : {"-h", "--help"}) {
    const Finished f = gptj({name});
    EXPECT_EQ(f.code, 0);
    EXPECT_EQ(f.err, "");
    for (const char* part : {"Usage: gpt-j [OPTIONS]\n       gpt-j COMMAND [OPTIONS] [ARGUMENTS]\n",
                             "\nSampling:\n", "\nRunning:\n", "--top-k N", "[default: 40]", "[default: 0.9]",
                             "[default: 200]", "gpt-j perplexity"}) {
      EXPECT_TRUE(contains(f.out, part));
    }
  }
}

TEST(Options, EveryCommandHasHelpOfReadableWidth) {
  constexpr size_t kWidth = 100;
  for (const apps::Command& command : apps::commands()) {
    std::vector<std::string> args = {std::string(command.name), "--help"};
    if (command.name.empty()) args.erase(args.begin());
    const Finished f = gptj(args);
    EXPECT_EQ(f.code, 0);
    EXPECT_TRUE(contains(f.out, "Usage: gpt-j " + std::string(command.name)));
    for (const std::string& line : lines(f.out)) {
      const bool is_one_word = line.rfind(' ') + 1 == line.find_first_not_of(' ');
      EXPECT_TRUE(line.size() <= kWidth || is_one_word) << line;
    }
  }
}

TEST(Options, HelpFitsANarrowTerminal) {
  constexpr int kColumns = 60;
  Terminal terminal({"list", "--help"}, {}, kColumns);
  const Finished f = terminal.finish();
  EXPECT_TRUE(contains(f.out, "--json"));
  for (const std::string& line : lines(f.out)) EXPECT_LE(line.size(), kColumns) << line;
}

TEST(Options, VersionNamesTheProgram) {
  EXPECT_EQ(gptj({"--version"}).out, "gpt-j " GPTJ_VERSION "\n");
  Start gpt2{.program = GPTJ_GPT2_PROGRAM, .args = {"--version"}};
  EXPECT_EQ(run(gpt2).out, "gpt-2 " GPTJ_VERSION "\n");
}

TEST(Options, SpellingsOfGgmlsExamplesAreUnderstood) {
  const Finished f = gptj({"-s",
                           "1",
                           "--seed",
                           "-1",
                           "-t",
                           "2",
                           "--threads",
                           "2",
                           "-n",
                           "3",
                           "--n_predict",
                           "3",
                           "--n-predict",
                           "3",
                           "--top_k",
                           "40",
                           "--top-k",
                           "40",
                           "--top_p",
                           "0.9",
                           "--top-p",
                           "0.9",
                           "--temp",
                           "0.9",
                           "--repeat-last-n",
                           "64",
                           "--repeat_last_n",
                           "64",
                           "--repeat-penalty",
                           "1.1",
                           "--repeat_penalty",
                           "1.1",
                           "-b",
                           "8",
                           "--batch-size",
                           "8",
                           "--batch_size",
                           "8",
                           "-c",
                           "128",
                           "--ctx-size",
                           "128",
                           "--context",
                           "128",
                           "-m",
                           "x",
                           "--model",
                           "x",
                           "--ignore-eos",
                           "-q",
                           "--quiet",
                           "-v",
                           "--verbose",
                           "--kv-type",
                           "f32",
                           "--exact",
                           "-p",
                           "x",
                           "--prompt",
                           "x",
                           "--version"});
  EXPECT_EQ(f.code, 0) << f.err;
}

TEST(Options, TheContextHasTheSameNamesInAllCommands) {
  const std::string names = "  -c,--ctx-size,--context,--ctx N";
  EXPECT_TRUE(contains(gptj({"--help"}).out, names));
  for (const char* command : {"chat", "inspect", "perplexity", "imatrix", "score"}) {
    EXPECT_TRUE(contains(gptj({command, "--help"}).out, names)) << command;
  }
}

TEST(Options, EverySettingOfASamplerIsOne) {
  const std::string help = gptj({"--help"}).out;
  std::vector<std::string> all = {"--version"};
  for (const SamplerSetting& setting : sampler_settings()) {
    EXPECT_TRUE(contains(help, "  --" + setting.name));
    EXPECT_TRUE(contains(help, setting.help.substr(0, setting.help.find(' '))));
    if (setting.kind != SamplerSetting::Kind::integer && setting.kind != SamplerSetting::Kind::number)
      continue;
    std::vector<std::string> names = setting.other_names;
    names.push_back(setting.name);
    for (std::string name : names) {
      const std::string option = "--" + name;
      EXPECT_TRUE(contains(refusal({option, "1e9"}), "found '1e9'"));
      std::replace(name.begin(), name.end(), '-', '_');
      for (const std::string& spelled : {option, "--" + name}) {
        all.push_back(spelled);
        all.push_back("1");
      }
    }
  }
  EXPECT_EQ(gptj(all).code, 0);
}

TEST(Options, UnknownOnesNameTheNearestKnownOne) {
  const std::pair<const char*, const char*> cases[] = {{"--tmep", "'--temp'"},
                                                       {"--promt", "'--prompt'"},
                                                       {"--repeat-penalti", "'--repeat-penalty'"},
                                                       {"--top_pp=3", "'--top-p'"},
                                                       {"--ignore_eos", "'--ignore-eos'"},
                                                       {"--thread", "'--threads'"},
                                                       {"--n_predicts", "'--n_predict'"}};
  for (const auto& [typed, meant] : cases) {
    const std::string error = refusal({typed});
    EXPECT_TRUE(error.starts_with("gpt-j: unknown option '--")) << error;
    EXPECT_TRUE(contains(error, std::string("did you mean ") + meant));
  }
  EXPECT_TRUE(contains(refusal({"tokenize", "--jsno"}), "'--json'"));
  EXPECT_TRUE(contains(refusal({"tokenize", "--top_k", "3"}), "unknown option '--top_k'"));
}

TEST(Options, UnknownOnesThatAreLikeNoneAreNotGuessed) {
  for (const char* typed : {"--bogus", "--nope", "--frequency=3", "-x", "--"}) {
    const std::string error = refusal({"-p", "x", typed});
    EXPECT_TRUE(contains(error, "(see 'gpt-j --help')"));
    EXPECT_EQ(error.find("did you mean"), std::string::npos) << error;
  }
}

TEST(Options, MistypedCommandsNameTheNearestOne) {
  const std::pair<const char*, const char*> cases[] = {
      {"quantise", "'quantize'"}, {"inspcet", "'inspect'"}, {"pul", "'pull'"}, {"Bench", "'bench'"}};
  for (const auto& [typed, meant] : cases) {
    EXPECT_TRUE(contains(refusal({typed, "x"}), std::string("did you mean ") + meant));
  }
  for (const char* other : {"Hello", "x", "model.bin"}) {
    const std::string error = refusal({other});
    EXPECT_TRUE(contains(error, "a command; found"));
    EXPECT_EQ(error.find("did you mean"), std::string::npos) << error;
  }
}

TEST(Options, MistypedCommandsAreToldBeforeTheirOptions) {
  EXPECT_TRUE(contains(refusal({"verfiy", "--help"}), "did you mean 'verify'?"));
  EXPECT_TRUE(contains(refusal({"covnert", "a", "b", "-t", "many"}), "did you mean 'convert'?"));
  const std::string error = refusal({"-p", "x", "tokenize"});
  EXPECT_TRUE(contains(error, "expected a command to be the first argument, found 'tokenize'"));
  EXPECT_EQ(error.find("did you mean"), std::string::npos) << error;
}

TEST(Options, ArgumentsThatCannotBeLeftOutAreShownSo) {
  EXPECT_TRUE(contains(gptj({"convert", "--help"}).out, "gpt-j convert [OPTIONS] IN OUT\n"));
  EXPECT_TRUE(contains(gptj({"quantize", "--help"}).out, "gpt-j quantize [OPTIONS] IN OUT TYPE\n"));
  EXPECT_TRUE(contains(gptj({"rm", "--help"}).out, "gpt-j rm [OPTIONS] NAME\n"));
  EXPECT_TRUE(contains(gptj({"verify", "--help"}).out, "gpt-j verify [OPTIONS] [MODEL]\n"));
  EXPECT_TRUE(has_line(gptj({"imatrix", "--help"}).out, "*--output FILE (required)*"));
}

TEST(Options, ArgumentsThatAreMissingOrTooMuchAreRefused) {
  EXPECT_TRUE(contains(refusal({"convert"}), "expected IN OUT, found no IN (see 'gpt-j convert --help')"));
  EXPECT_TRUE(contains(refusal({"convert", "a"}), "expected IN OUT, found no OUT"));
  EXPECT_TRUE(contains(refusal({"quantize", "a", "b"}), "expected IN OUT TYPE, found no TYPE"));
  EXPECT_TRUE(contains(refusal({"quantize", "a", "b", "q9"}), "TYPE: expected one of"));
  EXPECT_TRUE(contains(refusal({"rm"}), "expected NAME, found no NAME"));
  EXPECT_TRUE(contains(refusal({"imatrix", "-p", "x"}), "expected -o FILE, found no -o"));
  EXPECT_TRUE(contains(refusal({"convert", "a", "b", "c"}), "no more arguments than IN OUT; found 'c'"));
  EXPECT_TRUE(contains(refusal({"convert", "--bogus"}), "unknown option '--bogus'"));  // first of all
  EXPECT_TRUE(contains(refusal({"tokenize", "Hello"}), "an option such as -p TEXT; found 'Hello'"));
  EXPECT_TRUE(contains(refusal({"list", "all"}), "expected an option; found 'all'"));
  EXPECT_TRUE(contains(refusal({"convert", "a", "b", "--to", "png"}), "one of native, ggml, gguf, hf"));
  for (const char* command : {"inspect", "verify"}) {
    EXPECT_TRUE(contains(refusal({command, "a", "-m", "b"}), "expected MODEL or --model, found both"));
  }
}

struct BadValue {
  const char* option;
  const char* value;
  const char* expected;  // in the message, beside the option's name and the value
};

std::ostream& operator<<(std::ostream& out, const BadValue& bad) {
  return out << bad.option << " " << bad.value;
}

class BadValues : public ::testing::TestWithParam<BadValue> {};

TEST_P(BadValues, NameOptionRangeAndWhatWasFound) {
  const auto& [option, value, expected] = GetParam();
  const std::string error = refusal({option, value, "-p", "x"});
  EXPECT_TRUE(contains(error, option));
  EXPECT_TRUE(contains(error, expected));
  EXPECT_TRUE(contains(error, std::string("found '") + value + "'"));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadValues,
    ::testing::Values(
        BadValue{"--temp", "nan", "from 0 to 1000"}, BadValue{"--temp", "inf", "from 0 to 1000"},
        BadValue{"--temp", "-0.1", "from 0 to 1000"}, BadValue{"--top-p", "1.01", "from 0 to 1"},
        BadValue{"--top-p", "-nan", "from 0 to 1"}, BadValue{"--top-p", "0,5", "from 0 to 1"},
        BadValue{"--top-k", "-1", "from 0 to 1000000"}, BadValue{"--top-k", "1.5", "a whole number"},
        BadValue{"--n_predict", "-2", "of at least -1"},
        BadValue{"--n_predict", "99999999999999999999", "from -1 to 2147483647"},
        BadValue{"--threads", "", "from 0 to 1024"}, BadValue{"--threads", "1e3", "from 0 to 1024"},
        BadValue{"--threads", "1025", "from 0 to 1024"}, BadValue{"--batch-size", "0", "from 1 to"},
        BadValue{"--ctx-size", "-5", "of at least 0"}, BadValue{"--ctx-size", "0x10", "of at least 0"},
        BadValue{"--repeat-last-n", "-2", "from -1 to 1000000"},
        BadValue{"--repeat-penalty", "0", "from 0.01 to 100"}, BadValue{"--seed", "one", "a whole number"},
        BadValue{"--min-p", "2", "from 0 to 1"}, BadValue{"--mirostat", "3", "from 0 to 2"},
        BadValue{"--samplers", "foo", "top-p"}, BadValue{"--logit-bias", "3", "ID+NUMBER"},
        BadValue{"--banned-token", "the", "the id of a token"}, BadValue{"--banned-string", "", "a text"},
        BadValue{"--kv-type", "f64", "one of f16, f32, int8"}, BadValue{"--type", "q9", "one of q4_0, q4,"}));

TEST(Number, HasARangeThatMessagesName) {
  constexpr int kMax = std::numeric_limits<int>::max();
  EXPECT_EQ(apps::number_problem("2", 2, kMax), "");
  EXPECT_EQ(apps::number_problem("1", 2, kMax), "expected a whole number of at least 2, found '1'");
  EXPECT_EQ(apps::number_problem("2147483648", 2, kMax),
            "expected a whole number from 2 to 2147483647, found '2147483648'");
  constexpr auto kAny = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(apps::number_problem("one", -kAny - 1, kAny), "expected a whole number, found 'one'");
  EXPECT_EQ(apps::number_problem("-", -kAny - 1, kAny), "expected a whole number, found '-'");
  EXPECT_EQ(apps::number_problem("-9223372036854775809", -kAny - 1, kAny),
            "expected a whole number of at least -9223372036854775808, found '-9223372036854775809'");
  EXPECT_EQ(apps::parsed_number<double>("1e308"), 1e308);
  EXPECT_EQ(apps::parsed_number<double>("1e309"), std::nullopt);
}

TEST(Options, NamesOfFilesAreNotEmpty) {
  for (const char* option :
       {"--model", "--file", "--draft", "--session", "--batch-file", "--grammar-file", "--trace"}) {
    EXPECT_EQ(refusal({option, ""}),
              std::string("gpt-j: ") + option + ": expected a name, found an empty text\n");
  }
}

TEST(Options, WhatIsWrittenHasDifferentPaths) {
  const TemporaryDirectory directory;
  std::filesystem::create_symlink(directory.path(), directory / "link");
  const auto message = [](const std::string& one, const std::string& other, const std::string& path) {
    return "gpt-j: expected different paths for " + one + " and " + other + ", found '" + path +
           "' for both\n";
  };
  for (const std::string& same : {directory / "x", directory / "./x", directory / "link/x"}) {
    EXPECT_EQ(refusal({"-p", "x", "--trace", directory / "x", "--session", same}),
              message("--trace", "--session", same));
  }
  EXPECT_EQ(refusal({"-p", "x", "--trace", "no-such", "--session", "./no-such"}),
            message("--trace", "--session", "./no-such"));
  EXPECT_EQ(refusal({"logits", "-p", "x", "-o", directory / "x", "--dump", directory / "x/"}),
            message("-o", "--dump", directory / "x/"));
  const Finished f = gptj({"-m", kDemoGptJ, "-q", "-p", "x", "-n", "1", "--trace", directory / "x",
                           "--session", directory / "y"});
  EXPECT_EQ(f.code, 0) << f.err;
}

TEST(Options, AValueThatIsMissingOrTooMuchIsRefused) {
  EXPECT_TRUE(contains(refusal({"-p"}), "-p: expected TEXT"));
  EXPECT_TRUE(contains(refusal({"--top_k"}), "--top_k: expected N"));
  EXPECT_TRUE(contains(refusal({"-p", "a", "-f", "b"}), "found both"));
  EXPECT_TRUE(contains(refusal({"a prompt"}), "-p TEXT"));
  EXPECT_TRUE(contains(refusal({"-p", "x", "tokenize"}), "found 'tokenize'"));  // a command comes first
  EXPECT_TRUE(contains(refusal({"tokenize", "--decode", "1", "-p", "x"}), "found both"));
  EXPECT_TRUE(contains(refusal({"tokenize", "-m", kDemoGptJ, "--decode", "1,x"}), "found 'x'"));
  EXPECT_TRUE(contains(refusal({"logits", "-m", kDemoGptJ, "-p", "x"}), "-o"));
}

TEST(Options, RefusalsAreShortAndSafeToShow) {
  const std::string nasty = std::string(100'000, 'x') + "\x1b[2J";
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"--temp", nasty}, {nasty}, {"--" + nasty}, {"--kv-type", nasty}}) {
    EXPECT_LT(refusal(args).size(), 300U);
  }
  EXPECT_TRUE(contains(refusal({"--temp", "\x1b[2J"}), R"(found '\x1b[2J')"));
}

TEST(Options, TheLastOfSeveralCounts) {
  const Finished f = gptj({"-m", kDemoGptJ, "-p", "one", "-p", "two", "-n", "5", "-n", "0", "-q"});
  EXPECT_EQ(f.out, "two\n");
}

}  // namespace
}  // namespace gptj::test
