#include "cli/command_line.h"

#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <utility>

#include "base/quoted.h"
#include "cli/suggest.h"
#include "terminal/console.h"

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

const CLI::Option* option_named(const CLI::App& app, const std::string& name) {
  return name.starts_with('-') ? app.get_option_no_throw(name) : nullptr;
}

bool takes_value(const CLI::Option* option) {
  return option != nullptr && option->get_items_expected_min() > 0;
}

/// Settles what CLI11 2.1 does not: "-np", as llama.cpp spells it, is "--np"; "--name=" has an empty value there only if
/// the line ends, else it swallows the next argument; and an option without its value is told in few words.
std::vector<std::string> with_plain_values(const CLI::App& app, const std::vector<std::string>& args) {
  std::vector<std::string> out;
  for (size_t i = 0; i < args.size(); ++i) {
    const bool ends_empty = args[i].starts_with("--") && args[i].find('=') == args[i].size() - 1;
    std::string name = ends_empty ? args[i].substr(0, args[i].size() - 1) : args[i];
    if (name.size() > 2 && option_named(app, "-" + name) != nullptr) name.insert(0, "-");
    const CLI::Option* option = option_named(app, name);
    if (!takes_value(option)) {
      out.push_back(args[i]);
      continue;
    }
    out.push_back(name);
    if (!ends_empty && ++i == args.size()) {
      throw UsageError(fmt::format("{}: expected {} after it, found the end of the command line", name,
                                   option->get_type_name()));
    }
    out.push_back(ends_empty ? "" : args[i]);  // whatever it looks like
  }
  return out;
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
  std::string make_option_name(const CLI::Option* option, bool is_positional) const override {
    const std::vector<std::string> names = names_of(*option);
    return names.empty() ? CLI::Formatter::make_option_name(option, is_positional)
                         : fmt::format("{}", fmt::join(names, ","));
  }
};

/// What help calls the argument or the option's value; empty for a flag.
std::string value_of(const CLI::Option& option) {
  if (option.get_positional()) return option.get_name(true);
  return option.get_items_expected_min() == 0 ? "" : option.get_type_name();
}

std::string did_you_mean(const std::string& name) {
  return name.empty() ? "" : fmt::format(", did you mean '{}'?", name);
}

}  // namespace

CommandLine::CommandLine(const Program& program, const Command& command)
    : command_(command), app_(std::make_unique<CLI::App>(std::string(command.summary))) {
  app_->name(command.name.empty() ? program.name : fmt::format("{} {}", program.name, command.name));
  app_->allow_extras();   // told by refuse(), which knows better
  app_->set_help_flag();  // declared last, by parse()
  const auto formatter = std::make_shared<Formatter>();
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
    const std::string range = high == std::numeric_limits<Number>::max()
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
  const auto set = [&target](const std::string& text) { target = text; };
  app_->add_option_function<std::string>(std::string(names), set, std::string(help))
      ->type_name(std::string(value));
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

bool CommandLine::mentioned(std::string_view name, const std::vector<std::string>& args) const {
  const CLI::Option* const wanted = option_named(*app_, std::string(name));
  for (size_t i = 0; i < args.size(); ++i) {
    const CLI::Option* const option = option_named(*app_, args[i]);
    if (option == wanted) return true;
    if (takes_value(option)) ++i;
  }
  return false;
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

std::string CommandLine::hint() const {
  return fmt::format("see '{} --help'", app_->get_name());
}

void CommandLine::refuse_option(const std::string& argument) const {
  const std::string name = argument.substr(0, argument.find('='));
  std::vector<std::string> known;
  for (const DeclaredOption& option : declared()) {
    known.insert(known.end(), option.names.begin(), option.names.end());
  }
  throw UsageError(
      fmt::format("unknown option {}{} ({})", quoted(name), did_you_mean(mistyped(name, known)), hint()));
}

void CommandLine::refuse(const std::string& argument, bool is_first) const {
  if (argument.starts_with('-')) refuse_option(argument);
  std::vector<std::string> words, taken;
  for (const Command& command : commands()) words.emplace_back(command.name);
  for (const DeclaredOption& option : declared()) {
    if (option.names.empty()) taken.push_back(option.value);
  }
  const bool has_commands = command_.name.empty();
  if (has_commands && !is_first && std::find(words.begin(), words.end(), argument) != words.end()) {
    throw UsageError(
        fmt::format("expected a command to be the first argument, found {} after others", quoted(argument)));
  }
  const bool takes_text = app_->get_option_no_throw("-p") != nullptr;
  std::string expected = takes_text ? "an option such as -p TEXT" : "an option";
  if (!taken.empty()) expected = fmt::format("no more arguments than {}", fmt::join(taken, " "));
  if (has_commands && is_first) expected += " or, as the first argument, a command";
  throw UsageError(fmt::format("expected {}; found {}{} ({})", expected, quoted(argument),
                               has_commands && is_first ? did_you_mean(mistyped(argument, words)) : "",
                               hint()));
}

void CommandLine::check_required() const {
  std::vector<std::string> wanted;
  std::string missing;
  for (const DeclaredOption& option : declared()) {
    if (!option.required) continue;
    const bool is_argument = option.names.empty();
    const std::string name = is_argument ? option.value : option.names.front();
    wanted.push_back(is_argument ? name : fmt::format("{} {}", name, option.value));
    if (missing.empty() && !given(name)) missing = name;
  }
  if (missing.empty()) return;
  throw UsageError(fmt::format("expected {}, found no {} ({})", fmt::join(wanted, " "), missing, hint()));
}

bool CommandLine::parse(std::vector<std::string> args) {
  app_->set_help_flag("-h,--help", "show this help and exit");
  if (command_.declared != nullptr) {
    *command_.declared = declared();
    return false;
  }
  // First of all: what follows is meant for the command that was mistyped, --help too.
  if (command_.name.empty() && !args.empty() && !args[0].starts_with('-')) refuse(args[0], true);
  args = with_plain_values(*app_, args);
  std::reverse(args.begin(), args.end());  // as CLI11 wants them
  try {
    app_->parse(args);
  } catch (const CLI::CallForHelp&) {
    write_out(CLI::detail::find_and_replace(app_->help(), "\n\n\n", "\n\n"));
    return false;
  } catch (const CLI::RequiredError&) {
    // told by check_required(), after what is not known
  } catch (const CLI::ParseError& e) {
    throw UsageError(e.what());
  }
  const std::vector<std::string> unknown = app_->remaining();
  if (!unknown.empty()) refuse(unknown.front(), false);
  check_required();
  return true;
}

}  // namespace gptj::apps
