#include "cli/command_line.h"

#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/quoted.h"
#include "cli/help.h"
#include "cli/number.h"

namespace gptj::apps {
namespace {

std::string with_default(std::string_view help, const auto& value) {
  return fmt::format("{} [default: {}]", help, value);
}

/// What help calls the argument or the option's value; empty for a flag.
std::string value_of(const CLI::Option& option) {
  if (option.get_positional()) return option.get_name(true);
  return option.get_items_expected_min() == 0 ? "" : option.get_type_name();
}

/// The same for all ways to name one file or directory, be it there or not.
std::filesystem::path plain_path(const std::string& text) {
  std::error_code error;
  std::filesystem::path path = std::filesystem::absolute(text, error);
  if (!error) path = std::filesystem::weakly_canonical(path, error);
  if (error) return text;  // that cannot be looked at: whoever opens it tells why
  return path.has_filename() ? path : path.parent_path();
}

}  // namespace

CommandLine::CommandLine(const Program& program, const Command& command)
    : command_(command), app_(std::make_unique<CLI::App>(std::string(command.summary))) {
  app_->name(command.name.empty() ? program.name : fmt::format("{} {}", program.name, command.name));
  app_->allow_extras();   // told by refuse(), which knows better
  app_->set_help_flag();  // declared last, by parse()
  app_->formatter(help_formatter(program, command));
  app_->option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

CommandLine::~CommandLine() = default;

void CommandLine::group(std::string_view name) {
  app_->option_defaults()->group(std::string(name));
}

template <typename Number>
void CommandLine::add_number(std::string_view names, Number& target, Number low, Number high,
                             std::string_view help) {
  const auto check = [low, high](const std::string& text) { return number_problem(text, low, high); };
  const auto set = [&target](const std::string& text) { target = *parsed_number<Number>(text); };
  value({std::string(names), "N", with_default(help, target), check, set});
}

void CommandLine::number(std::string_view names, int& target, int low, int high, std::string_view help) {
  add_number(names, target, low, high, help);
}

void CommandLine::number(std::string_view names, int64_t& target, int64_t low, int64_t high,
                         std::string_view help) {
  add_number(names, target, low, high, help);
}

void CommandLine::number(std::string_view names, double& target, double low, double high,
                         std::string_view help) {
  add_number(names, target, low, high, help);
}

void CommandLine::flag(std::string_view names, bool& target, std::string_view help) {
  app_->add_flag(std::string(names), target, std::string(help));
}

void CommandLine::flag(std::string_view names, const std::function<void()>& set, std::string_view help) {
  app_->add_flag_callback(std::string(names), set, std::string(help));
}

void CommandLine::text(std::string_view names, std::optional<std::string>& target, std::string_view value,
                       std::string_view help) {
  const bool is_path = value == "FILE" || value == "DIR" || value == "MODEL";
  const auto check = [is_path](const std::string& text) {
    return is_path && text.empty() ? "expected a name, found an empty text" : "";
  };
  const auto set = [&target](const std::string& text) { target = text; };
  this->value({std::string(names), std::string(value), std::string(help), check, set});
}

void CommandLine::texts(std::string_view names, std::vector<std::string>& target, std::string_view value,
                        std::string_view help) {
  this->value(
      {.names = std::string(names),
       .value = std::string(value),
       .help = std::string(help),
       .problem =
           [](const std::string& text) { return text.empty() ? "expected a text, found an empty one" : ""; },
       .set = [&target](const std::string& text) { target.push_back(text); },
       .repeated = true});
}

void CommandLine::value(const Value& value) {
  using Texts = std::vector<std::string>;
  const auto set_each = [set = value.set](const Texts& texts) {
    std::for_each(texts.begin(), texts.end(), set);
  };
  CLI::Option* option = value.repeated
                            ? app_->add_option_function<Texts>(value.names, set_each, value.help)
                            : app_->add_option_function<std::string>(value.names, value.set, value.help);
  option->check(CLI::Validator(value.problem, ""))->type_name(value.value);
  if (value.repeated) option->allow_extra_args(false)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  if (!value.choices.empty()) choices_[option] = value.choices;
}

void CommandLine::add_word(std::string_view names, std::string_view value,
                           const std::function<void(size_t)>& set, const std::vector<std::string>& choices,
                           std::string_view help) {
  const auto index = [choices](const std::string& text) {
    return static_cast<size_t>(std::find(choices.begin(), choices.end(), text) - choices.begin());
  };
  const auto check = [choices, index](const std::string& text) -> std::string {
    if (index(text) < choices.size()) return "";
    return fmt::format("expected one of {}, found {}", fmt::join(choices, ", "), quoted(text));
  };
  const auto set_text = [set, index](const std::string& text) { set(index(text)); };
  this->value({.names = std::string(names),
               .value = std::string(value),
               .help = std::string(help),
               .problem = check,
               .set = set_text,
               .choices = choices});
}

void CommandLine::word(std::string_view names, std::optional<std::string>& target, std::string_view value,
                       const std::vector<std::string>& choices, std::string_view help) {
  add_word(
      names, value, [&target, choices](size_t index) { target = choices[index]; }, choices, help);
}

void CommandLine::add_choice(std::string_view names, size_t current, const std::function<void(size_t)>& set,
                             const std::vector<std::string>& choices, std::string_view help) {
  add_word(names, fmt::format("{}", fmt::join(choices, "|")), set, choices,
           with_default(help, choices.at(current)));
}

void CommandLine::require(std::string_view name) {
  app_->get_option(std::string(name))->required();
}

bool CommandLine::given(std::string_view name) const {
  return app_->count(std::string(name)) > 0;
}

void CommandLine::at_most_one(const std::vector<std::string_view>& names) const {
  std::string_view first;
  for (std::string_view name : names) {
    if (!given(name)) continue;
    if (!first.empty()) throw UsageError(fmt::format("expected {} or {}, found both", first, name));
    first = name;
  }
}

void CommandLine::different_paths(const std::vector<std::string_view>& names) const {
  std::map<std::filesystem::path, std::string_view> taken;
  for (const std::string_view name : names) {
    if (!given(name)) continue;
    const auto text = app_->get_option(std::string(name))->as<std::string>();
    const auto [other, is_new] = taken.emplace(plain_path(text), name);
    if (is_new) continue;
    throw UsageError(fmt::format("expected different paths for {} and {}, found {} for both", other->second,
                                 name, quoted(text)));
  }
}

std::vector<DeclaredOption> CommandLine::declared() const {
  std::vector<DeclaredOption> all;
  for (const CLI::Option* option : std::as_const(*app_).get_options()) {
    const auto choices = choices_.find(option);
    all.push_back({.names = option_names(*option),
                   .value = value_of(*option),
                   .choices = choices == choices_.end() ? std::vector<std::string>() : choices->second,
                   .help = option->get_description(),
                   .group = option->get_group(),
                   .required = option->get_required(),
                   .repeated = option->get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll});
  }
  return all;
}

}  // namespace gptj::apps
