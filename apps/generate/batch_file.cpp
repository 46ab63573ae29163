#include "generate/batch_file.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/quoted.h"
#include "cli/suggest.h"
#include "gptj/error.h"
#include "options/json_lines.h"
#include "terminal/text_input.h"

namespace gptj::apps {
namespace {

using nlohmann::json;

template <typename... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(fmt::format(format, std::forward<Args>(args)...));
}

template <typename Number>
Number number(const json& value, Number low) {
  const bool right_kind = std::is_integral_v<Number> ? value.is_number_integer() : value.is_number();
  constexpr auto kHigh = std::numeric_limits<Number>::max();
  const bool fits =
      right_kind && (value.is_number_unsigned() ? value <= kHigh : value >= low && value <= kHigh);
  if (!fits) {
    fail("expected a {} of at least {}, found {}", std::is_integral_v<Number> ? "whole number" : "number",
         low, value.dump());
  }
  return value.get<Number>();
}

std::string text(const json& value) {
  if (!value.is_string()) fail("expected a text, found {}", quoted(value.dump()));
  return value.get<std::string>();
}

std::vector<std::string> texts(const json& value) {
  if (!value.is_array()) return {text(value)};
  std::vector<std::string> out;
  for (const json& one : value) out.push_back(text(one));
  return out;
}

std::string id(const json& value) {
  if (!value.is_string() && !value.is_number())
    fail("expected a text or a number, found {}", quoted(value.dump()));
  return value.dump();
}

/// What a line may say.
struct Key {
  std::string_view name;
  void (*set)(TextRequest& request, const json& value);
};
constexpr Key kKeys[] = {
    {"prompt", [](TextRequest& r, const json& v) { r.prompt = text(v); }},
    {"id", [](TextRequest& r, const json& v) { r.id = id(v); }},
    {"n_predict", [](TextRequest& r, const json& v) { r.text.options.n_predict = number<int>(v, -1); }},
    {"stop", [](TextRequest& r, const json& v) { r.text.options.stop = texts(v); }},
    {"seed", [](TextRequest& r, const json& v) { r.text.sampling.seed = number<uint64_t>(v, 0); }},
    {"grammar", [](TextRequest& r, const json& v) { r.text.options.grammar = Grammar::gbnf(text(v)); }},
    {"json_schema",
     [](TextRequest& r, const json& v) { r.text.options.grammar = Grammar::json_schema(v.dump()); }},
    {"regex", [](TextRequest& r, const json& v) { r.text.options.grammar = Grammar::regex(text(v)); }},
};

void set(SamplerOptions& sampling, const SamplerSetting& setting, const json& value) {
  if (value.is_boolean()) return sampling.set(setting.name, value.get<bool>() ? 1.0 : 0.0);
  if (value.is_number()) return sampling.set(setting.name, value.get<double>());
  for (const std::string& one : texts(value)) sampling.set(setting.name, std::string_view(one));
}

[[noreturn]] void refuse(const std::string& name) {
  std::vector<std::string> names;
  for (const Key& key : kKeys) names.emplace_back(key.name);
  for (const SamplerSetting& setting : sampler_settings()) {
    std::replace_copy(setting.name.begin(), setting.name.end(), std::back_inserter(names.emplace_back()), '-',
                      '_');
  }
  const std::string meant = mistyped(name, names);
  if (!meant.empty()) fail("unknown key {}{}", quoted(name), did_you_mean(meant));
  fail("unknown key {}, expected {}", quoted(name), fmt::join(names, ", "));
}

void set(TextRequest& request, const std::string& name, const json& value) {
  const auto* key =
      std::find_if(std::begin(kKeys), std::end(kKeys), [&](const Key& k) { return k.name == name; });
  const SamplerSetting* setting = find_sampler_setting(name);
  try {
    if (key != std::end(kKeys)) return key->set(request, value);
    if (setting != nullptr) return set(request.text.sampling, *setting, value);
  } catch (const Error& error) {
    fail("{}: {}", quoted(name), error.what());
  }
  refuse(name);
}

TextRequest read_json(std::string_view line, const BatchText& defaults) {
  TextRequest request{.text = defaults};
  const json object = parse_json_line(line);
  for (const auto& [name, value] : object.items()) set(request, name, value);
  if (!object.contains("prompt")) fail("expected a \"prompt\", found none");
  std::string_view grammar;
  for (const std::string_view name : {"grammar", "json_schema", "regex"}) {
    if (!object.contains(name)) continue;
    if (!grammar.empty()) fail("expected '{}' or '{}', found both", grammar, name);
    grammar = name;
  }
  return request;
}

}  // namespace

std::vector<TextRequest> read_batch_file(const std::string& path, const BatchText& defaults) {
  TextInput input(path);
  bool is_json = false;
  std::vector<TextRequest> requests;
  for_each_line(input, [&](std::string_view line) {
    if (requests.empty()) is_json = line.starts_with('{');
    requests.push_back(is_json ? read_json(line, defaults)
                               : TextRequest{.prompt = std::string(line), .text = defaults});
  });
  if (requests.empty()) fail("{}: expected a prompt or a JSON object on each line, found none", input.name());
  return requests;
}

}  // namespace gptj::apps
