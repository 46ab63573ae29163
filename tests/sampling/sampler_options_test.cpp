#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "base/failure.h"
#include "sampling/sampling.h"

namespace gptj {
namespace {

using test::expect_error;
using Kind = SamplerSetting::Kind;

bool is_number(const SamplerSetting& setting) {
  return setting.kind != Kind::text && setting.kind != Kind::texts;
}

TEST(SamplerOptions, DefaultsAreThoseOfGgmlsGptJ) {
  const SamplerOptions options;
  EXPECT_EQ(options.number("top-k"), 40);
  EXPECT_EQ(options.number("top-p"), 0.9);
  EXPECT_EQ(options.number("temp"), 0.9);
  EXPECT_EQ(options.number("repeat-last-n"), 64);
  EXPECT_EQ(options.number("repeat-penalty"), 1);
  for (const SamplerSetting& setting : sampler_settings())
    EXPECT_TRUE(options.is_default(setting.name)) << setting.name;
}

TEST(SamplerOptions, EverySettingIsDescribedAndGoesByAllItsNames) {
  std::map<std::string, int> seen;
  for (const SamplerSetting& setting : sampler_settings()) {
    EXPECT_FALSE(setting.help.empty());
    EXPECT_LT(setting.help.size(), 110U);
    std::vector<std::string> names = setting.other_names;
    names.push_back(setting.name);
    for (std::string name : names) {
      EXPECT_EQ(++seen[name], 1) << name;
      EXPECT_EQ(name.find('_'), name.npos);
      if (!is_number(setting)) continue;
      SamplerOptions options;
      std::replace(name.begin(), name.end(), '-', '_');
      options.set(name, setting.high);
      EXPECT_EQ(options.number(setting.name), setting.high);
      EXPECT_EQ(options.is_default(name), setting.high == setting.fallback);
    }
  }
}

TEST(SamplerOptions, NumbersOutOfRangeAreErrors) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const SamplerSetting& setting : sampler_settings()) {
    if (!is_number(setting)) continue;
    const std::string expected = setting.name + ": expected";
    SamplerOptions options;
    for (const double wrong : {setting.low - 1, setting.high + 1, std::nextafter(setting.low, -kInfinity),
                               kInfinity, -kInfinity, std::numeric_limits<double>::quiet_NaN()})
      expect_error([&] { options.set(setting.name, wrong); }, {expected, "found"});
    for (const char* wrong : {"", "x", "1x", " 1", "+1", "nan", "inf", "1e999", "0x1", "--1", "1,5", "1\xff"})
      expect_error([&] { options.set(setting.name, wrong); }, {expected, "found '"});
    if (setting.kind != Kind::number) {
      expect_error([&] { options.set(setting.name, setting.low + 0.5); }, {expected, "found"});
      expect_error([&] { options.set(setting.name, "0.5"); }, {expected, "found '0.5'"});
    }
    EXPECT_TRUE(options.is_default(setting.name));
    for (const double right : {setting.low, setting.high, setting.fallback}) {
      options.set(setting.name, right);
      EXPECT_EQ(options.number(setting.name), right);
    }
  }
}

TEST(SamplerOptions, TextsAreTaken) {
  SamplerOptions options;
  options.set("temp", "0.25");
  options.set("top_k", "7");
  options.set("ignore-eos", "on");
  EXPECT_EQ(options.number("temperature"), 0.25);
  EXPECT_EQ(options.number("top-k"), 7);
  EXPECT_EQ(options.number("ignore-eos"), 1);
  options.set("samplers", "temp");
  options.set("samplers", "top_k;temperature,top-p");
  EXPECT_EQ(options.text("samplers"), "top_k;temperature,top-p");
  options.set("banned-string", "a");
  options.set("banned-string", "\n");
  EXPECT_EQ(options.texts("banned-string").size(), 2U);
  EXPECT_EQ(options.texts("banned-string")[1], "\n");
  EXPECT_FALSE(options.is_default("banned-string"));
}

TEST(SamplerOptions, TextsThatMeanNothingAreErrors) {
  const struct {
    const char *name, *text, *expected;
  } cases[] = {
      {"samplers", "", "top-k;temp"},
      {"samplers", "top-k;", "found ''"},
      {"samplers", "top-k;no such", "found 'no such'"},
      {"samplers", "top-k;temp;top_k", "each sampler once, found 'top_k' again"},
      {"samplers", "typical,typ_p", "found 'typ_p' again"},
      {"logit-bias", "", "ID+NUMBER"},
      {"logit-bias", "5", "found '5'"},
      {"logit-bias", "+5", "found '+5'"},
      {"logit-bias", "5+", "found '5+'"},
      {"logit-bias", "5+x", "found '5+x'"},
      {"logit-bias", "5+-1", "found '5+-1'"},
      {"logit-bias", "5+inf", "found '5+inf'"},
      {"logit-bias", "5+nan", "found '5+nan'"},
      {"logit-bias", "5+1e7", "found '5+1e7'"},
      {"logit-bias", "-5+1", "found '-5+1'"},
      {"banned-token", "-1", "found '-1'"},
      {"banned-token", "x", "found 'x'"},
      {"banned-token", "99999999999", "found '99999999999'"},
      {"banned-string", "", "expected a text"},
      {"dry-sequence-breaker", "", "expected a text"},
  };
  for (const auto& c : cases) {
    SamplerOptions options;
    expect_error([&] { options.set(c.name, c.text); }, {std::string(c.name) + ": expected", c.expected});
  }
  SamplerOptions options;
  expect_error([&] { options.set("banned-string", 1.0); },
               {"banned-string: expected a text", "found the number 1"});
  expect_error([&] { options.ban(-1); }, {"banned-token", "found '-1'"});
}

TEST(SamplerOptions, UnknownSettingsAreErrors) {
  SamplerOptions options;
  expect_error([&] { options.set("top-q", 1); }, {"'top-q'", "expected one of", "top-p"});
  expect_error([&] { options.set("", "1"); }, {"''"});
  expect_error([&] { options.number("x"); }, {"'x'"});
}

}  // namespace
}  // namespace gptj
