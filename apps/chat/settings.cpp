#include "chat/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <iterator>
#include <span>

#include "base/quoted.h"
#include "chat/unquoted.h"
#include "cli/suggest.h"
#include "gptj/error.h"

namespace gptj::apps {
namespace {

constexpr const char* kOwn[] = {"n-predict", "stop", "seed"};

/// Of a setting of the chat's own.
template <typename Number>
void set_number(std::string_view name, std::string_view text, Number low, Number& target) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end || number < low) {
    throw Error(fmt::format("{}: expected a whole number of at least {}, found {}", name, low, quoted(text)));
  }
  target = number;
}

std::string line(std::string_view name, std::string_view value, std::string_view help) {
  return fmt::format("{:<22} {:<10} {}\n", name, value, help);
}

std::string listed(std::span<const std::string> texts) {
  std::string out;
  for (const std::string& text : texts) out += fmt::format("{}\"{}\"", out.empty() ? "" : " ", escaped(text));
  return out.empty() ? "none" : out;
}

std::string dashed(std::string_view name) {
  std::string out(name);
  std::replace(out.begin(), out.end(), '_', '-');
  return out;
}

/// Of one that is the samplers'. Throws Error if there is none.
const SamplerSetting& sampler_setting(const std::string& name) {
  if (const SamplerSetting* setting = find_sampler_setting(name)) return *setting;
  const std::string meant = mistyped(name, ChatSettings::names());
  throw Error(fmt::format("no setting is called {}{} (/set shows all)", quoted(name),
                          meant.empty() ? "" : fmt::format("; did you mean '{}'?", meant)));
}

std::string value_of(const SamplerSetting& setting, const SamplerOptions& options) {
  switch (setting.kind) {
    case SamplerSetting::Kind::text:
      return options.text(setting.name);
    case SamplerSetting::Kind::texts:
      return listed(options.texts(setting.name));
    case SamplerSetting::Kind::flag:
      return options.number(setting.name) == 0 ? "off" : "on";
    default:
      return fmt::format("{}", options.number(setting.name));
  }
}

}  // namespace

std::vector<std::string> ChatSettings::names() {
  std::vector<std::string> out(std::begin(kOwn), std::end(kOwn));
  for (const SamplerSetting& setting : sampler_settings()) out.push_back(setting.name);
  return out;
}

std::vector<std::string> ChatSettings::notable_names() const {
  std::vector<std::string> out(std::begin(kOwn), std::end(kOwn));
  for (const SamplerSetting& setting : sampler_settings()) {
    if (!sampling.sampler.is_default(setting.name)) out.push_back(setting.name);
  }
  return out;
}

void ChatSettings::set(std::string_view given, std::string_view value) {
  const std::string name = dashed(given);
  const std::string text = unquoted(value).value_or(std::string(value));
  if (name == "n-predict") return set_number(name, value, -1, n_predict);
  if (name == "seed") return set_number(name, value, uint64_t{0}, sampling.sampler.seed);
  if (name != "stop") return sampling.sampler.set(sampler_setting(name).name, text);
  if (text.empty()) return stop.clear();
  stop.push_back(text);
}

std::string ChatSettings::described(std::string_view given) const {
  const std::string name = dashed(given);
  if (name == "n-predict") {
    return line(name, fmt::format("{}", n_predict),
                "tokens of an answer at most (-1: until the model ends it)");
  }
  if (name == "seed") return line(name, fmt::format("{}", sampling.sampler.seed), "seed of the draws");
  if (name == "stop") return line(name, listed(stop), "texts that end an answer; one more, or \"\" for none");
  const SamplerSetting& setting = sampler_setting(name);
  return line(setting.name, value_of(setting, sampling.sampler), setting.help);
}

}  // namespace gptj::apps
