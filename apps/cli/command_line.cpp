#include "cli/command_line.h"

#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <utility>

#include "base/quoted.h"

namespace gptj::apps {
namespace {

constexpr size_t kHelpColumn = 34;

/// std::from_chars for float is missing from older libraries (libc++ before 20).
bool parse_number(const std::string& text, float& number) {
  if (text.empty() || text.starts_with('+') || text.find_first_not_of("+-.0123456789eE") != text.npos) {
    return false;
  }
  char* stop = nullptr;
  number = std::strtof(text.c_str(), &stop);
  return stop == text.data() + text.size();
}

bool parse_number(const std::string& text, auto& number) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end;
}

std::string with_default(std::string_view help, const auto& value) {
  return fmt::format("{} [default: {}]", help, value);
}

/// One of two names that differ in dashes and underscores only: both are understood, which need not be said forty times.
std::vector<std::string> names_of(const CLI::Option& option) {
  std::vector<std::string> names, known;
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) {
    std::string dashed = name;
    std::replace(dashed.begin(), dashed.end(), '_', '-');
    if (std::find(known.begin(), known.end(), dashed) != known.end()) continue;
    known.push_back(dashed);
    names.push_back("--" + name);
  }
  return names;
}

class Formatter : public CLI::Formatter {
 public:
  explicit Formatter(bool has_commands) : has_commands_(has_commands) {}

  std::string make_usage(const CLI::App* app, std::string name) const override {
    std::string usage = CLI::Formatter::make_usage(app, name);
    if (has_commands_) usage += fmt::format("       {} COMMAND [OPTIONS] [ARGUMENTS]\n", name);
    return usage;
  }

  std::string make_option_name(const CLI::Option* option, bool is_positional) const override {
    const std::vector<std::string> names = names_of(*option);
    return names.empty() ? CLI::Formatter::make_option_name(option, is_positional)
                         : fmt::format("{}", fmt::join(names, ","));
  }

 private:
  bool has_commands_;
};

/// What help calls the argument or the option's value; empty for a flag.
std::string value_of(const CLI::Option& option) {
  if (option.get_positional()) return option.get_name(true);
  return option.get_items_expected_min() == 0 ? "" : option.get_type_name();
}

}  // namespace

CommandLine::CommandLine(const Program& program, const Command& command)
    : command_(command), app_(std::make_unique<CLI::App>(std::string(command.summary))) {
  app_->name(command.name.empty() ? program.name : fmt::format("{} {}", program.name, command.name));
  app_->allow_extras();   // told by refuse(), which knows better
  app_->set_help_flag();  // declared last, by parse()
  const auto formatter = std::make_shared<Formatter>(command.name.empty());
  formatter->column_width(kHelpColumn);
  formatter->label("REQUIRED", "(required)");
  app_->formatter(formatter);
  app_->option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  if (!command.name.empty()) return;
  std::string footer = "Commands:\n";
  for (const Command& other : commands()) {
    if (!other.name.empty())
      footer += fmt::format("  {} {:<14} {}\n", program.name, other.name, other.summary);
  }
  app_->footer(footer + fmt::format("\n{} COMMAND --help shows the options of a command.", program.name));
}

CommandLine::~CommandLine() = default;

void CommandLine::group(std::string_view name) {
  app_->option_defaults()->group(std::string(name));
}

template <typename Number>
void CommandLine::add_number(std::string_view names, Number& target, Number low, Number high,
                             std::string_view help) {
  const auto check = [low, high](const std::string& text) -> std::string {
    Number number{};
    if (parse_number(text, number) && number >= low && number <= high) return "";  // NaN is not
    const bool whole = std::is_integral_v<Number>;
    const bool too_long = whole && !text.empty() && text.find_first_not_of("0123456789") == text.npos;
    const std::string range = high == std::numeric_limits<Number>::max() && !too_long
                                  ? fmt::format("of at least {}", low)
                                  : fmt::format("from {} to {}", low, high);
    return fmt::format("expected a {} {}, found {}", whole ? "whole number" : "number", range, quoted(text));
  };
  const auto set = [&target](const std::string& text) { parse_number(text, target); };
  value({std::string(names), "N", with_default(help, target), check, set});
}

void CommandLine::number(std::string_view names, int& target, int low, int high, std::string_view help) {
  add_number(names, target, low, high, help);
}

void CommandLine::number(std::string_view names, int64_t& target, int64_t low, int64_t high,
                         std::string_view help) {
  add_number(names, target, low, high, help);
}

void CommandLine::number(std::string_view names, float& target, float low, float high,
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
  this->value({.names = std::string(names),
               .value = std::string(value),
               .help = std::string(help),
               .problem = [](const std::string&) { return ""; },
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

std::vector<DeclaredOption> CommandLine::declared() const {
  std::vector<DeclaredOption> all;
  for (const CLI::Option* option : std::as_const(*app_).get_options()) {
    const auto choices = choices_.find(option);
    all.push_back({.names = names_of(*option),
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
