// gpt-j bench: the shape of what it prints. What it measures depends on the machine.

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>

#include "process.h"

namespace gptj::test {
namespace {

using nlohmann::json;

/// Quick measurements of a model without a file, or of the demo model.
Finished bench(std::vector<std::string> more, bool synthetic) {
  std::vector<std::string> args = {"bench", "--quick", "--repeat", "2", "-t", "2"};
  const std::vector<std::string> model = synthetic ? std::vector<std::string>{"--shape", "gpt2-117m:1"}
                                                   : std::vector<std::string>{"-m", kDemoGptJ};
  args.insert(args.end(), model.begin(), model.end());
  args.insert(args.end(), more.begin(), more.end());
  return gptj(args);
}

std::vector<std::string> names(const json& rows) {
  std::vector<std::string> out;
  for (const json& row : rows) out.push_back(row.at("name"));
  return out;
}

TEST(Bench, TableHasARowForEachRoofAndMeasurement) {
  const Finished f = bench({}, /*synthetic=*/false);
  EXPECT_EQ(f.code, 0) << f.err;
  for (const char* part :
       {"\nroof read ", "\nroof f32 ", "\nroof int8 ", "\nload warm ", "\ndecode at 0 ", "\nprompt of 32 ",
        "\nprompt of 128 ", "\ndecode at 128 ", "\npass of 4 ", "\n1 text at 32 ", "\n8 texts at 32 ",
        " x one token\n", "% of read\n", " tokens/s ", "\npeak memory "}) {
    EXPECT_TRUE(contains(f.out, part));
  }
  EXPECT_TRUE(contains(f.err, "bench: ........................................ done\n"));
}

TEST(Bench, JsonIsOneObjectThatAgreesWithItself) {
  const Finished f = bench({"--type", "q4", "--json", "-q"}, /*synthetic=*/true);
  ASSERT_EQ(f.code, 0) << f.err;
  EXPECT_EQ(f.err, "");
  const json out = json::parse(f.out);
  EXPECT_EQ(out.at("type"), "q4");
  EXPECT_EQ(out.at("n_layer"), 1);
  EXPECT_EQ(out.at("threads"), 2);
  EXPECT_EQ(out.at("repeats"), 2);
  EXPECT_EQ(out.at("allocations_per_token"), 0);
  EXPECT_GT(out.at("peak_bytes"), out.at("weight_bytes"));
  const std::vector<std::string> expected = {
      "decode at 0", "prompt of 32", "prompt of 128", "decode at 128", "pass of 1",    "pass of 2",
      "pass of 4",   "1 text at 32", "2 texts at 32", "4 texts at 32", "8 texts at 32"};
  EXPECT_EQ(names(out.at("rows")), expected);
  for (const json& row : out.at("rows")) {
    const json& ms = row.at("ms");
    EXPECT_GT(ms.at("min"), 0) << row;
    EXPECT_LE(ms.at("min"), ms.at("median")) << row;
    EXPECT_LE(ms.at("median"), ms.at("max")) << row;
    if (!row.contains("roof")) continue;
    // Each time stands beside the roof of its own moment: between what the fastest and the slowest allow.
    const json& roof = out.at("roofs").at(row.at("roof").get<std::string>()).at("rate");
    const double work = row.at("rate").get<double>() * ms.at("median").get<double>();
    const double of_roof = row.at("of_roof");
    EXPECT_GE(of_roof, 0.999 * work / ms.at("max").get<double>() / roof.at("max").get<double>() - 1e-4)
        << row;
    EXPECT_LE(of_roof, 1.001 * work / ms.at("min").get<double>() / roof.at("min").get<double>() + 1e-4)
        << row;
  }
  EXPECT_EQ(out.at("rows").at(1).at("roof"), "int8");
  EXPECT_EQ(out.at("rows").at(4).at("of_one_token"), 1);
  EXPECT_EQ(out.at("rows").at(7).at("of_one_token"), 1);
}

TEST(Bench, ExactPromptsStandBesideTheArithmeticThatTheyUse) {
  const Finished f = bench({"--type", "q4", "--exact", "--json", "-q"}, /*synthetic=*/true);
  ASSERT_EQ(f.code, 0) << f.err;
  EXPECT_EQ(json::parse(f.out).at("rows").at(1).at("roof"), "f32");
}

TEST(Bench, CsvHasTheSameColumnsInEveryLine) {
  const Finished f = bench({"--csv", "-q"}, /*synthetic=*/false);
  ASSERT_EQ(f.code, 0) << f.err;
  const std::vector<std::string> rows = lines(f.out);
  ASSERT_GT(rows.size(), 10U);
  for (const std::string& row : rows) {
    EXPECT_EQ(std::count(row.begin(), row.end(), ','), 9) << row;
  }
}

TEST(Bench, LengthsThatDoNotFitTheModelAreLeftOut) {
  // The demo model has a context of 512 tokens: no prompt of 2000, and no room after one of 512.
  const Finished f = gptj({"bench", "-m", kDemoGptJ, "--repeat", "1", "--json", "-q"});
  ASSERT_EQ(f.code, 0) << f.err;
  const std::vector<std::string> found = names(json::parse(f.out).at("rows"));
  EXPECT_EQ(std::count(found.begin(), found.end(), "prompt of 512"), 1);
  EXPECT_EQ(std::count(found.begin(), found.end(), "decode at 512"), 0);
  EXPECT_EQ(std::count(found.begin(), found.end(), "prompt of 2000"), 0);
}

TEST(Bench, BadOptionsAreErrors) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"--shape", "gptj-7b"}, "'gptj-7b'"},
      {{"--shape", "gpt2-117m:0"}, "expected 1 to 12 layers"},
      {{"--shape", "gpt2-117m:13"}, "expected 1 to 12 layers"},
      {{"--shape", "gpt2-117m:2x"}, "expected 1 to 12 layers"},
      {{"--shape", "gpt2-117m", "--type", "q3"}, "'q3'"},
      {{"-m", kDemoGptJ, "--type", "q3"}, "'q3'"},
      {{"--shape", "gpt2-117m", "-m", kDemoGptJ}, "found both"},
      {{"--json", "--csv"}, "found both"},
      {{"--repeat", "0"}, "found '0'"},
      {{"-m", "/no/such"}, "/no/such"}};
  for (const auto& [options, part] : cases) {
    std::vector<std::string> args = {"bench", "--quick", "-q"};
    args.insert(args.end(), options.begin(), options.end());
    const Finished f = gptj(args);
    EXPECT_NE(f.code, 0);
    EXPECT_EQ(f.out, "");
    EXPECT_EQ(lines(f.err).size(), 1U) << f.err;
    EXPECT_TRUE(contains(f.err, part));
  }
}

TEST(Bench, ASignalEndsIt) {
  Process process({.args = {"bench", "-m", kDemoGptJ, "--quick", "--repeat", "1000"}});
  ASSERT_TRUE(process.wait_for_error_text("bench: "));
  process.send(SIGINT);
  const Finished f = process.finish();
  EXPECT_EQ(f.code, 128 + SIGINT);
  EXPECT_EQ(f.out, "");
}

}  // namespace
}  // namespace gptj::test
