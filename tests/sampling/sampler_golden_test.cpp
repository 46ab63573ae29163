// What each sampler leaves of a distribution, as tools/make_golden_samplers.py finds it from the papers.

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "sampling/sampling.h"

namespace gptj {
namespace {

using nlohmann::json;

const std::string kDirectory = GPTJ_TEST_DATA "/samplers/";

json read(const std::string& name) {
  std::ifstream file(kDirectory + name);
  EXPECT_TRUE(file) << name;
  return json::parse(file);
}

SamplerOptions options_of(const json& settings) {
  SamplerOptions options;
  for (const auto& [name, value] : settings.items()) {
    if (value.is_number()) {
      options.set(name, value.get<double>());
    } else if (value.is_string()) {
      options.set(name, value.get<std::string>());
    } else {
      for (const json& text : value) options.set(name, text.get<std::string>());
    }
  }
  return options;
}

/// The same tokens in the same order, but where probabilities are equal to F32's rounding.
void expect_distribution(std::span<const Candidate> found, const json& expected) {
  ASSERT_GE(found.size(), expected.size());
  std::map<int, double> by_id;
  double sum = 0, last = 1;
  for (const Candidate& candidate : found) {
    const auto p = static_cast<double>(candidate.p);
    EXPECT_LE(p, last);
    sum += last = by_id[candidate.id] = p;
  }
  EXPECT_NEAR(sum, 1, 1e-5);
  for (const json& one : expected) {
    const int id = one[0];
    const double p = one[1];
    ASSERT_TRUE(by_id.contains(id)) << id << " with " << p;
    const double rounding = 5e-6 * (1 - std::log(p));  // of an exponent: the larger, the more
    EXPECT_NEAR(by_id[id], p, rounding * p) << id;
    by_id.erase(id);
  }
  for (const auto& [id, p] : by_id) EXPECT_LT(p, 1e-29) << "surplus " << id;  // less was not written
}

class SamplerGolden : public testing::Test {
 protected:
  SamplerGolden() : logits_(read("logits.json")), tokenizer_(test::byte_tokenizer(logits_["tokens"])) {}

  std::vector<float> row(const json& name) const {
    std::vector<float> out;
    for (const json& x : logits_["rows"][name.get<std::string>()])
      out.push_back(x.is_null() ? std::numeric_limits<float>::quiet_NaN() : x.get<float>());
    return out;
  }

  const json logits_;
  const Tokenizer tokenizer_;
};

TEST_F(SamplerGolden, EachLeavesWhatItsDefinitionSays) {
  size_t n_cases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kDirectory)) {
    const std::string name = entry.path().filename();
    if (name == "logits.json" || name == "mirostat.json") continue;
    for (const json& one : read(name)) {
      SCOPED_TRACE(name + " " + one["logits"].dump() + " " + one["settings"].dump() + one["context"].dump());
      const std::vector<float> logits = row(one["logits"]);
      const std::vector<int> context = one["context"];
      Sampler sampler(options_of(one["settings"]), tokenizer_, static_cast<int>(logits.size()));
      expect_distribution(sampler.distribution(logits, context), one["expected"]);
      if (HasFatalFailure()) return;
      ++n_cases;
    }
  }
  EXPECT_GT(n_cases, 750U);
}

TEST_F(SamplerGolden, MirostatLearnsFromWhatWasDrawn) {
  std::set<std::string> drawn;
  for (const json& one : read("mirostat.json")) {
    SCOPED_TRACE(one["logits"].dump() + " " + one["settings"].dump());
    const std::vector<float> logits = row(one["logits"]);
    SamplerOptions options = options_of(one["settings"]);
    for (options.seed = 0; options.seed < 10; ++options.seed) {
      Sampler sampler(options, tokenizer_, static_cast<int>(logits.size()));
      expect_distribution(sampler.distribution(logits, {}), one["expected"]);
      const std::vector<int> context = {sampler.sample(logits, {})};
      drawn.insert(std::to_string(context[0]));
      expect_distribution(sampler.distribution(logits, context), one["after"].at(std::to_string(context[0])));
      expect_distribution(sampler.distribution(logits, context), one["after"].at(std::to_string(context[0])));
    }
  }
  EXPECT_GT(drawn.size(), 10U);
}

TEST(SamplerGoldens, EverySamplerHasSome) {
  std::string names = SamplerOptions().text("samplers") + ";";
  for (size_t end = 0; (end = names.find(';')) != names.npos; names.erase(0, end + 1)) {
    EXPECT_TRUE(std::filesystem::exists(kDirectory + names.substr(0, end) + ".json"))
        << names.substr(0, end) << ": tools/make_golden_samplers.py has to write it";
  }
}

}  // namespace
}  // namespace gptj
