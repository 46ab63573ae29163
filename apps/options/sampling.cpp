#include "options/sampling.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>

namespace gptj::apps {
namespace {

using Kind = SamplerSetting::Kind;

/// "--top-k,--top_k": all names, and as ggml's examples spell them.
std::string option_names(const SamplerSetting& setting) {
  std::vector<std::string> names = {setting.name};
  names.insert(names.end(), setting.other_names.begin(), setting.other_names.end());
  std::string out;
  for (const std::string& name : names) {
    out += fmt::format("{}--{}", out.empty() ? "" : ",", name);
    std::string underscored = name;
    std::replace(underscored.begin(), underscored.end(), '-', '_');
    if (underscored != name) out += ",--" + underscored;
  }
  return out;
}

/// Newlines, tabs and backslashes as shells let one write them: \n, \t, \\.
std::string unescaped(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const char next = text[i] == '\\' && i + 1 < text.size() ? text[i + 1] : '\0';
    const bool is_escape = next == 'n' || next == 't' || next == '\\';
    if (is_escape) ++i;
    out += !is_escape ? text[i] : next == 'n' ? '\n' : next == 't' ? '\t' : '\\';
  }
  return out;
}

std::string help_of(const SamplerSetting& setting) {
  const bool is_number = setting.kind == Kind::integer || setting.kind == Kind::number;
  const std::string fallback = is_number ? fmt::format("{}", setting.fallback) : setting.text_fallback;
  return fallback.empty() ? setting.help : fmt::format("{} [default: {}]", setting.help, fallback);
}

void declare_setting(CommandLine& line, const SamplerSetting& setting, SamplerOptions& options) {
  const bool repeated = setting.kind == Kind::texts;
  const auto meant = [repeated](const std::string& text) { return repeated ? unescaped(text) : text; };
  line.value({.names = option_names(setting),
              .value = setting.kind == Kind::text || repeated ? "TEXT" : "N",
              .help = help_of(setting),
              .problem = [&setting, meant](const std::string& text) { return setting.problem(meant(text)); },
              .set = [&setting, &options,
                      meant](const std::string& text) { options.set(setting.name, meant(text)); },
              .repeated = repeated});
}

}  // namespace

void SamplingOptions::declare(CommandLine& line) {
  line.group("Sampling");
  line.number("-s,--seed", seed, std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max(),
              "seed of the draws: the same gives the same text (negative: from the clock)");
  for (const SamplerSetting& setting : sampler_settings()) {
    if (setting.kind == Kind::flag) {
      line.flag(
          "--" + setting.name, [this, &setting] { sampler.set(setting.name, 1); }, setting.help);
    } else {
      declare_setting(line, setting, sampler);
    }
  }
}

void SamplingOptions::settle_seed() {
  using std::chrono::system_clock;
  sampler.seed = static_cast<uint64_t>(
      seed >= 0 ? seed : system_clock::now().time_since_epoch() / std::chrono::seconds(1));
}

}  // namespace gptj::apps
