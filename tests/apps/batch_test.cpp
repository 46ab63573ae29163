// Several texts at once, and beam search, on the command line.

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "process.h"

namespace gptj::test {
namespace {

using nlohmann::json;

const std::string kPrompt = "int main(";

/// What the demo model writes; it must succeed.
std::string written(std::vector<std::string> more, const std::string& model = kDemoGptJ) {
  more.insert(more.begin(), {"-m", model, "-q"});
  const Finished f = gptj(more);
  EXPECT_EQ(f.code, 0) << f.err;
  EXPECT_EQ(f.err, "");
  return f.out;
}

std::vector<json> json_lines(const std::string& text) {
  std::vector<json> out;
  for (const std::string& line : lines(text)) out.push_back(json::parse(line));
  return out;
}

TEST(Parallel, AnswersAreThoseOfTheirSeeds) {
  std::string expected;
  for (const char* seed : {"7", "8", "9"}) {
    expected += std::string("=== ") + std::to_string(seed[0] - '6') + " ===\n" +
                written({"-p", kPrompt, "-n", "25", "-s", seed});
  }
  for (const char* name : {"-np", "--np", "--parallel"}) {
    EXPECT_EQ(written({"-p", kPrompt, "-n", "25", "-s", "7", name, "3"}), expected);
  }
  EXPECT_EQ(written({"-p", kPrompt, "-n", "25", "-s", "7", "-np", "1"}),
            written({"-p", kPrompt, "-n", "25", "-s", "7"}));
}

TEST(Parallel, TheReportIsOfAllTexts) {
  const Finished f = gptj({"-m", kDemoGptJ, "-p", kPrompt, "-n", "5", "-np", "4", "--ignore-eos"});
  EXPECT_EQ(f.code, 0);
  EXPECT_TRUE(contains(f.err, "main: 4 texts, 4 at once, context = 8 tokens"));
  EXPECT_TRUE(has_line(f.err, "main:   prompt time = * / 3 tokens / *"));
  EXPECT_TRUE(has_line(f.err, "main: generate time = * / 16 tokens / *"));
  EXPECT_FALSE(contains(f.err, "read speed"));
}

TEST(Parallel, JsonHasALineForEach) {
  const std::string text = written({"-p", kPrompt, "-n", "9", "-s", "3"});
  const std::vector<json> found =
      json_lines(written({"-p", kPrompt, "-n", "9", "-s", "2", "-np", "2", "--json"}));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(kPrompt + found[1].at("text").get<std::string>() + "\n", text);
  EXPECT_EQ(found[1].at("prompt"), kPrompt);
  EXPECT_EQ(found[1].at("seed"), 3);
  EXPECT_EQ(found[1].at("reason"), "length");
  EXPECT_EQ(found[1].at("n_prompt"), 3);
  EXPECT_EQ(found[1].at("n_generated"), 9);
  EXPECT_EQ(found[1].at("tokens").size(), 9U);
  EXPECT_EQ(json_lines(written({"-p", kPrompt, "-n", "9", "-s", "3", "--json"})).at(0), found[1]);
}

TEST(Parallel, LogprobsAreThoseOfTheTextAlone) {
  const std::vector<json> found =
      json_lines(written({"-p", kPrompt, "-n", "9", "-s", "2", "-np", "2", "--logprobs", "2"}));
  ASSERT_EQ(found.size(), 2U);
  const std::vector<json> alone =
      json_lines(written({"-p", kPrompt, "-n", "9", "-s", "3", "--logprobs", "2"}));
  EXPECT_EQ(found[1].at("logprobs"), json(alone));
  EXPECT_EQ(found[0].at("logprobs").size(), 9U);
  EXPECT_NE(found[0].at("logprobs"), found[1].at("logprobs"));
}

TEST(BatchFile, EachLineIsAsAlone) {
  const TemporaryDirectory directory;
  const std::string file = directory.file(
      "texts.jsonl",
      "{\"prompt\": \"int main(\", \"id\": 17, \"n_predict\": 12, \"seed\": 3}\n"
      "\n"
      "{\"id\": \"two\", \"prompt\": \"/* Returns\", \"stop\": \"the\", \"temp\": 0.5, \"top_k\": 10}\r\n"
      "{\"prompt\": \"for (int i\", \"temp\": 0, \"stop\": [\"zzz\", \"+\"], \"repeat_penalty\": 1.2}");
  const std::string first = written({"-p", kPrompt, "-n", "12", "-s", "3"}),
                    second = written(
                        {"-p", "/* Returns", "--stop", "the", "--temp", "0.5", "--top-k", "10", "-s", "5"}),
                    third = written(
                        {"-p", "for (int i", "--temp", "0", "--stop", "+", "--repeat-penalty", "1.2"});
  for (const char* parallel : {"2", "8"}) {
    const std::vector<json> found = json_lines(written({"--batch-file", file, "-s", "5", "-np", parallel}));
    ASSERT_EQ(found.size(), 3U);
    const auto whole = [&](size_t i) {
      return found[i].at("prompt").get<std::string>() + found[i].at("text").get<std::string>() + "\n";
    };
    EXPECT_EQ(whole(0), first);
    EXPECT_EQ(whole(1), second);
    EXPECT_EQ(whole(2), third);
    EXPECT_EQ(found[0].at("id"), 17);
    EXPECT_EQ(found[1].at("id"), "two");
    EXPECT_FALSE(found[2].contains("id"));
  }
}

TEST(BatchFile, ALineMayHaveAGrammar) {
  const TemporaryDirectory directory;
  const std::string file = directory.file("texts.jsonl",
                                          "{\"prompt\": \"x = \", \"regex\": \"[0-9]{3}\"}\n"
                                          "{\"prompt\": \"x = \", \"json_schema\": {\"enum\": [\"a\", 17]}}\n"
                                          "{\"prompt\": \"x = \", \"grammar\": \"root ::= \\\"yes\\\"\"}\n");
  const std::vector<json> found = json_lines(written({"--batch-file", file}));
  ASSERT_EQ(found.size(), 3U);
  const std::string number = found[0].at("text"), value = found[1].at("text");
  EXPECT_TRUE(matches(number, "###"));
  EXPECT_TRUE(value == "\"a\"" || value == "17") << value;
  EXPECT_EQ(found[2].at("text"), "yes");
  EXPECT_EQ(found[2].at("reason"), "end_of_text");
}

TEST(BatchFile, MayBeAPromptOnEachLine) {
  const TemporaryDirectory directory;
  const std::string file = directory.file("prompts.txt", "int main(\r\n\n  for (\"{\n");
  const std::vector<json> found = json_lines(written({"--batch-file", file, "-n", "4"}));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].at("prompt"), "int main(");
  EXPECT_EQ(found[1].at("prompt"), "  for (\"{");
}

TEST(BatchFile, APromptThatIsTooLongIsItsOwnMatter) {
  const TemporaryDirectory directory;
  std::string many;
  for (int i = 0; i < 600; ++i) many += "x = y; ";
  const std::string file = directory.file("prompts.txt", "int main(\n" + many + "\nfor (\n");
  const Finished f = gptj({"-m", kDemoGptJ, "-q", "--batch-file", file, "-n", "4"});
  EXPECT_EQ(f.code, 1);
  EXPECT_TRUE(contains(f.err, "1 of 3 texts could not be made"));
  const std::vector<json> found = json_lines(f.out);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_TRUE(contains(found[1].at("error").get<std::string>(), "at most 512 tokens"));
  EXPECT_FALSE(found[1].contains("text"));
  EXPECT_EQ(found[2].at("n_generated"), 4);
}

TEST(BatchFile, BadLinesAreErrorsBeforeAnythingIsMade) {
  const TemporaryDirectory directory;
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"{\"prompt\": \"a\"}\n\n{\"prompt\": \"a\",}\n",
       "line 3: column 16: expected JSON, found a mistake in"},
      {"{\"prompt\": \"a\", \"promt\": 1}", "line 1: unknown key 'promt'; did you mean 'prompt'?"},
      {"{\"prompt\": \"a\", \"colour\": 1}", "line 1: unknown key 'colour', expected prompt, id, n_predict"},
      {"{\"prompt\": \"a\"}\n{\"id\": 1}", "line 2: expected a \"prompt\", found none"},
      {"{\"prompt\": 1}", "line 1: 'prompt': expected a text, found '1'"},
      {"{\"prompt\": \"a\", \"prompt\": \"b\"}", "line 1: the key 'prompt' appears twice"},
      {"{\"prompt\": \"a\", \"json_schema\": " + std::string(100'000, '[') + std::string(100'000, ']') + "}",
       "line 1: JSON nested more than 80 deep"},
      {"{\"prompt\": \"a\", \"n_predict\": 1.5}",
       "'n_predict': expected a whole number of at least -1, found 1.5"},
      {"{\"prompt\": \"a\", \"regex\": \"(\"}", "line 1: 'regex': "},
      {"{\"prompt\": \"a\", \"id\": [1]}", "'id': expected a text or a number, found '[1]'"},
      {"{\"prompt\": \"a\", \"temp\": \"hot\"}", "'temp': "},
      {"{\"prompt\": \"a\", \"temp\": 1e999}", "line 1: expected JSON, found "},
      {"{\"prompt\": \"a\", \"n_predict\": 3000000000}", "'n_predict': expected a whole number"},
      {"{\"prompt\": \"a\", \"seed\": -1}", "'seed': expected a whole number of at least 0, found -1"},
      {"{\"prompt\": \"a\", \"stop\": [1]}", "'stop': expected a text"},
      {R"({"prompt": "a", "regex": "a", "grammar": "root ::= \"a\""})",
       "line 1: expected 'grammar' or 'regex', found both"},
      {"{\"prompt\": \"a\"}\n[1]", "line 2: expected a JSON object"},
      {"\n \n", "expected a prompt or a JSON object on each line, found none"}};
  for (const auto& [content, message] : cases) {
    const Finished f = gptj({"-m", kDemoGptJ, "-q", "--batch-file", directory.file("bad", content)});
    EXPECT_EQ(f.code, 1);
    EXPECT_EQ(f.out, "");
    EXPECT_EQ(lines(f.err).size(), 1U);
    EXPECT_TRUE(contains(f.err, message));
  }
  EXPECT_TRUE(contains(gptj({"-m", kDemoGptJ, "--batch-file", directory / "none"}).err, "cannot open"));
  EXPECT_TRUE(has_line(gptj({"-m", kDemoGptJ, "-q", "--batch-file", directory.path()}).err,
                       "gpt-j: cannot read '*': Is a directory"));
}

TEST(BatchFile, ASignalLeavesWhatIsFinished) {
  const TemporaryDirectory directory;
  const std::string file = directory.file("texts.jsonl",
                                          "{\"prompt\": \"a\", \"n_predict\": 2}\n"
                                          "{\"prompt\": \"b\", \"n_predict\": -1}\n"
                                          "{\"prompt\": \"c\", \"n_predict\": -1}\n");
  Process process(
      {.args = {"-m", kDemoGptJ, "--batch-file", file, "-np", "2", "--context-shift", "--ignore-eos"}});
  ASSERT_TRUE(process.wait_for_error_text("texts, 2 at once"));
  ::usleep(300'000);  // the first text is long finished, the others never end
  process.send(SIGINT);
  const Finished f = process.finish();
  EXPECT_EQ(f.code, 128 + SIGINT);
  const std::vector<json> found = json_lines(f.out);
  ASSERT_GE(found.size(), 2U);
  EXPECT_EQ(found[1].at("reason"), "cancelled");
}

TEST(BeamSearch, TheBestIsWrittenAsAPlainText) {
  const std::string best = written({"-p", kPrompt, "-n", "12", "--beams", "4"});
  EXPECT_TRUE(best.starts_with(kPrompt));
  const std::vector<std::string> all =
      lines(written({"-p", kPrompt, "-n", "12", "--beams", "4", "-np", "3"}));
  EXPECT_EQ(all.at(0), "=== 1 ===");
  EXPECT_EQ(all.at(1) + "\n", best.substr(0, best.find('\n') + 1));
  const std::vector<json> found =
      json_lines(written({"-p", kPrompt, "-n", "12", "--beams", "4", "-np", "3", "--json"}));
  ASSERT_EQ(found.size(), 3U);
  EXPECT_GT(found[0].at("score"), found[1].at("score"));
  EXPECT_GT(found[1].at("score"), found[2].at("score"));
  EXPECT_EQ(kPrompt + found[0].at("text").get<std::string>() + "\n", best);
}

TEST(BeamSearch, OptionsAreAsTheySay) {
  const auto best = [](std::vector<std::string> more) {
    more.insert(more.begin(), {"-p", "/* Returns the number of", "-n", "20", "--beams", "3", "--json"});
    return json_lines(written(more)).at(0);
  };
  const json plain = best({}), penalized = best({"--length-penalty", "0"});
  EXPECT_LT(penalized.at("score"), plain.at("score"));  // not divided by the length
  EXPECT_EQ(best({"--early-stopping", "true"}).at("n_prompt"), plain.at("n_prompt"));
  EXPECT_EQ(best({"-c", "10", "-n", "-1"}).at("reason"), "context_full");
  const Finished report = gptj({"-m", kDemoGptJ, "-p", kPrompt, "-n", "6", "--beams", "3"});
  EXPECT_TRUE(has_line(report.err, "main: generate time = * / % tokens / *"));
}

TEST(BeamSearch, AndOthersDoNotGoTogether) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"--beams", "3", "-np", "4"}, "--parallel: expected at most 3, as many as --beams, found 4"},
      {{"--beams", "3", "--stop", "x"}, "expected --beams or --stop, found both"},
      {{"--beams", "3", "--temp", "1"}, "found both"},
      {{"--beams", "3", "--min-p", "0.1"}, "expected --beams or --min-p, found both"},
      {{"--beams", "3", "--regex", "x"}, "found both"},
      {{"--beams", "2", "--logprobs", "1"}, "found both"},
      {{"-np", "2", "--logprobs", "1", "--echo"}, "found both"},
      {{"-np", "2", "--session", "s"}, "found both"},
      {{"--beams", "3", "--batch-file", "x"}, "found both"},
      {{"--beams", "0"}, "found '0'"},
      {{"--length-penalty", "2"}, "--length-penalty: expected --beams beside it"},
      {{"--early-stopping", "true"}, "--early-stopping: expected --beams beside it"},
      {{"--beams", "3", "--early-stopping", "maybe"}, "expected one of false, true, never, found 'maybe'"},
      {{"--batch-file", "x", "-p", "y"}, "found both"},
      {{"--batch-file", "x", "--lookup"}, "found both"},
      {{"-np", "2", "--draft", "x"}, "found both"},
      {{"-np"}, "--np: expected N after it"},
      {{"-np", "0"}, "found '0'"}};
  for (const auto& [options, message] : cases) {
    const Finished f = gptj(options);
    EXPECT_EQ(f.code, 2);
    EXPECT_EQ(f.out, "");
    EXPECT_TRUE(contains(f.err, message));
  }
}

}  // namespace
}  // namespace gptj::test
