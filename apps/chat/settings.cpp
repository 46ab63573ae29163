#include "chat/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <span>

#include "base/quoted.h"
#include "chat/unquoted.h"
#include "cli/number.h"
#include "cli/suggest.h"
#include "gptj/error.h"
#include "options/common.h"

namespace gptj::apps {
namespace {

std::string line(std::string_view name, std::string_view value, std::string_view help) {
  return fmt::format("{:<22} {:<10} {}\n", name, value, help);
}

std::string listed(std::span<const std::string> texts) {
  std::string out;
  for (const std::string& text : texts) out += fmt::format("{}\"{}\"", out.empty() ? "" : " ", escaped(text));
  return out.empty() ? "none" : out;
}

/// Throws Error, naming the setting, for anything but a number from `low` to `high`.
template <typename Number>
void set_number(Number& target, std::string_view name, const std::string& text, Number low, Number high) {
  const std::string problem = number_problem(text, low, high);
  if (!problem.empty()) throw Error(fmt::format("{}: {}", name, problem));
  target = *parsed_number<Number>(text);
}

/// A setting of the chat itself, beside those of the samplers.
struct ChatSetting {
  std::string_view name, help;
  std::string (*value)(const ChatSettings& settings);
  void (*set)(ChatSettings& settings, std::string_view name, const std::string& text);
};
constexpr ChatSetting kOwn[] = {
    {"n-predict", "tokens of an answer at most (-1: until the model ends it)",
     [](const ChatSettings& s) { return fmt::format("{}", s.n_predict); },
     [](ChatSettings& s, std::string_view name, const std::string& text) {
       set_number(s.n_predict, name, text, -1, std::numeric_limits<int>::max());
     }},
    {"max-time", "seconds to take for an answer at most (0: no limit)",
     [](const ChatSettings& s) { return fmt::format("{}", s.max_seconds); },
     [](ChatSettings& s, std::string_view name, const std::string& text) {
       set_number(s.max_seconds, name, text, 0.0, kMaxSeconds);
     }},
    {"stop", "texts that end an answer; one more, or \"\" for none",
     [](const ChatSettings& s) { return listed(s.stop); },
     [](ChatSettings& s, std::string_view, const std::string& text) {
       if (text.empty()) return s.stop.clear();
       s.stop.push_back(text);
     }},
    {"seed", "seed of the draws",
     [](const ChatSettings& s) { return fmt::format("{}", s.sampling.sampler.seed); },
     [](ChatSettings& s, std::string_view name, const std::string& text) {
       set_number(s.sampling.sampler.seed, name, text, uint64_t{0}, std::numeric_limits<uint64_t>::max());
     }},
};

/// Null: there is none of that name.
const ChatSetting* own_setting(std::string_view name) {
  const auto* const found = std::find_if(std::begin(kOwn), std::end(kOwn),
                                         [&](const ChatSetting& setting) { return setting.name == name; });
  return found == std::end(kOwn) ? nullptr : found;
}

std::string dashed(std::string_view name) {
  std::string out(name);
  std::replace(out.begin(), out.end(), '_', '-');
  return out;
}

/// Of one that is the samplers'. Throws Error if there is none.
const SamplerSetting& sampler_setting(const std::string& name) {
  if (const SamplerSetting* setting = find_sampler_setting(name)) return *setting;
  throw Error(fmt::format("no setting is called {}{} (/set shows all)", quoted(name),
                          did_you_mean(mistyped(name, ChatSettings::names()))));
}

std::string value_of(const SamplerSetting& setting, const SamplerOptions& options) {
  switch (setting.kind) {
    case SamplerSetting::Kind::text:
      return options.text(setting.name);
    case SamplerSetting::Kind::texts:
      if (options.is_default(setting.name) && !setting.text_fallback.empty()) return setting.text_fallback;
      return listed(options.texts(setting.name));
    case SamplerSetting::Kind::flag:
      return options.number(setting.name) == 0 ? "off" : "on";
    default:
      return fmt::format("{}", options.number(setting.name));
  }
}

}  // namespace

std::vector<std::string> ChatSettings::names() {
  std::vector<std::string> out;
  for (const ChatSetting& setting : kOwn) out.emplace_back(setting.name);
  for (const SamplerSetting& setting : sampler_settings()) out.push_back(setting.name);
  return out;
}

std::vector<std::string> ChatSettings::notable_names() const {
  std::vector<std::string> out = names();
  std::erase_if(out, [this](const std::string& name) {
    return own_setting(name) == nullptr && sampling.sampler.is_default(name);
  });
  return out;
}

void ChatSettings::set(std::string_view given, std::string_view value) {
  const std::string name = dashed(given);
  const std::string text = unquoted(value).value_or(std::string(value));
  if (const ChatSetting* own = own_setting(name)) return own->set(*this, name, text);
  sampling.sampler.set(sampler_setting(name).name, text);
}

std::string ChatSettings::described(std::string_view given) const {
  const std::string name = dashed(given);
  if (const ChatSetting* own = own_setting(name)) return line(name, own->value(*this), own->help);
  const SamplerSetting& setting = sampler_setting(name);
  return line(setting.name, value_of(setting, sampling.sampler), setting.help);
}

}  // namespace gptj::apps
