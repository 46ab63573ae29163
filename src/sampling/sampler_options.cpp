#include <fmt/ranges.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <optional>

#include "base/error.h"
#include "gptj/sampler.h"
#include "sampling/setting_text.h"

namespace gptj {
namespace {

using Kind = SamplerSetting::Kind;

bool is_number(const SamplerSetting& setting) {
  return setting.kind != Kind::text && setting.kind != Kind::texts;
}

const SamplerSetting& setting_named(std::string_view name) {
  if (const SamplerSetting* setting = find_sampler_setting(name)) return *setting;
  std::vector<std::string_view> known;
  for (const SamplerSetting& setting : sampler_settings()) known.emplace_back(setting.name);
  fail("no setting of a sampler is called {}: expected one of {}", quoted(name), fmt::join(known, ", "));
}

std::string expected_number(const SamplerSetting& setting) {
  if (setting.kind == Kind::flag) return "0 (off) or 1 (on)";
  return fmt::format("a {} from {} to {}", setting.kind == Kind::integer ? "whole number" : "number",
                     setting.low, setting.high);
}

bool is_value(const SamplerSetting& setting, double number) {
  const bool in_range = number >= setting.low && number <= setting.high;  // NaN is not
  return in_range && (setting.kind == Kind::number || number == std::floor(number));
}

/// The number that a text means for this setting; nothing if it cannot have that value.
std::optional<double> value_of(const SamplerSetting& setting, std::string_view text) {
  if (setting.kind == Kind::flag && text == "off") return 0;
  if (setting.kind == Kind::flag && text == "on") return 1;
  const std::optional<double> number =
      setting.kind == Kind::number ? parse_number(text) : parse_whole_number(text);
  return number && is_value(setting, *number) ? number : std::nullopt;
}

}  // namespace

bool SamplerSetting::goes_by(std::string_view given) const {
  std::string wanted(given);
  std::replace(wanted.begin(), wanted.end(), '_', '-');
  return name == wanted || std::find(other_names.begin(), other_names.end(), wanted) != other_names.end();
}

const SamplerSetting* find_sampler_setting(std::string_view name) {
  for (const SamplerSetting& setting : sampler_settings()) {
    if (setting.goes_by(name)) return &setting;
  }
  return nullptr;
}

std::string SamplerSetting::problem(std::string_view value) const {
  if (!is_number(*this)) return text_problem == nullptr ? "" : text_problem(value);
  if (value_of(*this, value)) return "";
  return fmt::format("expected {}, found {}", expected_number(*this), quoted(value));
}

void SamplerOptions::set(std::string_view name, double value) {
  const SamplerSetting& setting = setting_named(name);
  if (!is_number(setting)) fail("{}: expected a text, found the number {}", setting.name, value);
  if (!is_value(setting, value)) {
    fail("{}: expected {}, found {}", setting.name, expected_number(setting), value);
  }
  numbers_[setting.name] = value;
}

void SamplerOptions::set(std::string_view name, std::string_view text) {
  const SamplerSetting& setting = setting_named(name);
  const std::string problem = setting.problem(text);
  if (!problem.empty()) fail("{}: {}", setting.name, problem);
  if (is_number(setting)) {
    numbers_[setting.name] = value_of(setting, text).value();
    return;
  }
  std::vector<std::string>& texts = texts_[setting.name];
  if (setting.kind == Kind::text) texts.clear();
  texts.emplace_back(text);
}

void SamplerOptions::ban(int id) {
  set("banned-token", std::to_string(id));
}

double SamplerOptions::number(std::string_view name) const {
  const SamplerSetting& setting = setting_named(name);
  assert(is_number(setting));
  const auto found = numbers_.find(setting.name);
  return found == numbers_.end() ? setting.fallback : found->second;
}

const std::string& SamplerOptions::text(std::string_view name) const {
  const SamplerSetting& setting = setting_named(name);
  assert(setting.kind == Kind::text);
  const auto found = texts_.find(setting.name);
  return found == texts_.end() ? setting.text_fallback : found->second.front();
}

std::span<const std::string> SamplerOptions::texts(std::string_view name) const {
  const SamplerSetting& setting = setting_named(name);
  assert(setting.kind == Kind::texts);
  const auto found = texts_.find(setting.name);
  return found == texts_.end() ? std::span<const std::string>() : found->second;
}

bool SamplerOptions::is_default(std::string_view name) const {
  const SamplerSetting& setting = setting_named(name);
  if (is_number(setting)) return number(name) == setting.fallback;
  return setting.kind == Kind::text ? text(name) == setting.text_fallback : texts(name).empty();
}

}  // namespace gptj
