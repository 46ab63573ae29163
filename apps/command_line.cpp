#include "command_line.h"

#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <utility>

#include "base/quoted.h"
#include "console.h"
#include "suggest.h"

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

/// Settles what CLI11 2.1 does not: "-np" is "--np", as ggml's examples spell it; "--name=" has an empty value there only if the line ends, else it
/// swallows the next argument; and an option without its value is told in few words.
std::vector<std::string> with_plain_values(const CLI::App& app, const std::vector<std::string>& args) {
  std::vector<std::string> out;
  for (size_t i = 0; i < args.size(); ++i) {
    const bool ends_empty = args[i].starts_with("--") && args[i].find('=') == args[i].size() - 1;
    std::string name = ends_empty ? args[i].substr(0, args[i].size() - 1) : args[i];
    if (name.size() > 2 && app.get_option_no_throw("-" + name) != nullptr) name.insert(0, "-");
    const CLI::Option* option = name.starts_with('-') ? app.get_option_no_throw(name) : nullptr;
    if (option == nullptr || option->get_items_expected_min() == 0) {
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

}  // namespace

CommandLine::CommandLine(const Program& program, const Command& command)
    : app_(std::make_unique<CLI::App>(std::string(command.summary))) {
  app_->name(command.name.empty() ? program.name : fmt::format("{} {}", program.name, command.name));
  app_->allow_extras();   // told by refuse(), which knows better
  app_->set_help_flag();  // declared last, by parse()
  app_->get_formatter()->column_width(kHelpColumn);
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
  app_->add_option_function<std::string>(std::string(names), set, with_default(help, target))
      ->check(CLI::Validator(check, ""))
      ->type_name("N");
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

void CommandLine::text(std::string_view names, std::optional<std::string>& target, std::string_view value,
                       std::string_view help) {
  const auto set = [&target](const std::string& text) { target = text; };
  app_->add_option_function<std::string>(std::string(names), set, std::string(help))
      ->type_name(std::string(value));
}

void CommandLine::texts(std::string_view names, std::vector<std::string>& target, std::string_view value,
                        std::string_view help) {
  const auto set = [&target](const std::vector<std::string>& all) {
    target = all;
    return true;
  };
  app_->add_option(std::string(names), set, std::string(help))
      ->type_name(std::string(value))
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void CommandLine::add_choice(std::string_view names, size_t current, const std::function<void(size_t)>& set,
                             const std::vector<std::string>& choices, std::string_view help) {
  const auto index = [choices](const std::string& text) {
    return static_cast<size_t>(std::find(choices.begin(), choices.end(), text) - choices.begin());
  };
  const auto check = [choices, index](const std::string& text) -> std::string {
    if (index(text) < choices.size()) return "";
    return fmt::format("expected {}, found {}", fmt::join(choices, " or "), quoted(text));
  };
  const auto set_text = [set, index](const std::string& text) { set(index(text)); };
  app_->add_option_function<std::string>(std::string(names), set_text,
                                         with_default(help, choices.at(current)))
      ->check(CLI::Validator(check, ""))
      ->type_name(fmt::format("{}", fmt::join(choices, "|")));
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

void CommandLine::refuse(const std::string& argument) const {
  const std::string hint = fmt::format("see '{} --help'", app_->get_name());
  if (!argument.starts_with('-')) {
    std::vector<std::string> words;
    for (const Command& command : commands()) words.emplace_back(command.name);
    const std::string meant = mistyped(argument, words);
    throw UsageError(fmt::format(
        "expected an option such as -p TEXT or, as the first argument, a command; found {}{} ({})",
        quoted(argument), meant.empty() ? "" : fmt::format(", did you mean '{}'?", meant), hint));
  }
  const std::string name = argument.substr(0, argument.find('='));
  std::vector<std::string> known;
  for (const CLI::Option* option : std::as_const(*app_).get_options()) {
    for (const std::string& known_name : option->get_lnames()) known.push_back("--" + known_name);
    for (const std::string& known_name : option->get_snames()) known.push_back("-" + known_name);
  }
  throw UsageError(
      fmt::format("unknown option {}, did you mean '{}'? ({})", quoted(name), nearest(name, known), hint));
}

bool CommandLine::parse(std::vector<std::string> args) {
  app_->set_help_flag("-h,--help", "show this help and exit");
  args = with_plain_values(*app_, args);
  std::reverse(args.begin(), args.end());  // as CLI11 wants them
  try {
    app_->parse(args);
  } catch (const CLI::CallForHelp&) {
    write_out(CLI::detail::find_and_replace(app_->help(), "\n\n\n", "\n\n"));
    return false;
  } catch (const CLI::ParseError& e) {
    throw UsageError(e.what());
  }
  const std::vector<std::string> unknown = app_->remaining();
  if (!unknown.empty()) refuse(unknown.front());
  return true;
}

}  // namespace gptj::apps
