// Texts that follow a grammar, and what is told of each token.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "process.h"

namespace gptj::test {
namespace {

Finished run(std::vector<std::string> more) {
  more.insert(more.begin(), {"-m", kDemoGptJ, "-q"});
  return gptj(more);
}

constexpr const char* kSchema =
    R"({"type":"object","properties":{"name":{"type":"string","maxLength":8},"n":{"type":"integer","minimum":3,)"
    R"("maximum":70}},"required":["name","n"],"additionalProperties":false})";

TEST(Constrained, TextsAreWhatTheGrammarSays) {
  const TemporaryDirectory directory;
  const std::string gbnf = directory.file("yes.gbnf", "root ::= (\"yes\" | \"no\") \"!\"\n");
  const std::string schema = directory.file("schema.json", kSchema);
  for (int seed = 0; seed < 4; ++seed) {
    const auto added = [&](std::vector<std::string> more) {
      more.insert(more.end(), {"-p", "x", "-s", std::to_string(seed), "-n", "-1"});
      const Finished f = run(more);
      EXPECT_EQ(f.code, 0) << f.err;
      EXPECT_TRUE(f.out.starts_with('x') && f.out.ends_with('\n')) << f.out;
      return f.out.substr(1, f.out.size() - 2);
    };
    EXPECT_TRUE(std::regex_match(added({"--grammar-file", gbnf}), std::regex("(yes|no)!")));
    EXPECT_TRUE(std::regex_match(added({"--grammar", "root ::= [0-9]{4}"}), std::regex("[0-9]{4}")));
    EXPECT_TRUE(std::regex_match(added({"--regex", "a(bc)+d?e", "--lookup"}), std::regex("a(bc)+d?e")));
    for (const std::string& given : {std::string(kSchema), "@" + schema}) {
      const auto json = nlohmann::json::parse(added({"--json-schema", given}));
      EXPECT_GE(json["n"].get<int>(), 3);
      EXPECT_LE(json["n"].get<int>(), 70);
      EXPECT_TRUE(json["name"].is_string());
    }
  }
}

TEST(Constrained, MistakesAreToldBeforeAModelIsLoaded) {
  const TemporaryDirectory directory;
  const struct {
    std::vector<std::string> args;
    const char* place;
  } cases[] = {
      {{"--grammar", "root ::= \"a\"\n  | b"}, "line 2, column 5"},
      {{"--grammar", "root ::= \"a\" root"}, "root"},
      {{"--json-schema", "{\"type\":"}, "line 1, column 9"},
      {{"--json-schema", R"({"properties":{"a":{"type":"none"}}})"}, "#/properties/a"},
      {{"--regex", "a(b"}, "column 2"},
      {{"--grammar-file", directory / "none"}, "none"},
      {{"--json-schema", "@" + directory / "none"}, "none"},
      {{"--json-schema", directory.file("a.json", "{}")}, "a.json' is meant"},
  };
  for (const auto& c : cases) {
    std::vector<std::string> args = {"-m", directory / "no-model", "-p", "x"};
    args.insert(args.end(), c.args.begin(), c.args.end());
    const Finished f = gptj(args);
    EXPECT_EQ(f.code, 1);
    EXPECT_EQ(lines(f.err).size(), 1U) << f.err;
    EXPECT_TRUE(contains(f.err, c.place));
    EXPECT_TRUE(contains(f.err, c.args[0]));
  }
  EXPECT_EQ(run({"--grammar", "root ::= \"a\"", "--regex", "a"}).code, 2);
}

TEST(LogprobsOption, EachTokenIsALineOfJson) {
  const Finished f = run({"-p", "int x", "-n", "5", "-s", "1", "--logprobs", "3", "--echo"});
  EXPECT_EQ(f.code, 0);
  const std::string text = run({"-p", "int x", "-n", "5", "-s", "1"}).out;
  std::string joined;
  for (const std::string& line : lines(f.out)) {
    const auto json = nlohmann::json::parse(line);
    EXPECT_EQ(json["logprob"].is_null(), joined.empty());
    EXPECT_EQ(json["top"].size(), joined.empty() ? 0U : 3U);
    joined += json["text"].get<std::string>();
  }
  EXPECT_EQ(joined + "\n", text);
  EXPECT_EQ(lines(run({"-p", "int x", "-n", "5", "--logprobs", "0"}).out).size(), 5U);
  EXPECT_EQ(run({"-p", "x", "--echo"}).code, 2);
}

}  // namespace
}  // namespace gptj::test
