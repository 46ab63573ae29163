// How a command line reads its arguments, and what it says to those that it does not know.

#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "base/quoted.h"
#include "cli/command_line.h"
#include "cli/suggest.h"
#include "terminal/console.h"

namespace gptj::apps {
namespace {

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

}  // namespace

bool CommandLine::mentioned(std::string_view name, const std::vector<std::string>& args) const {
  const CLI::Option* const wanted = option_named(*app_, std::string(name));
  for (size_t i = 0; i < args.size(); ++i) {
    const CLI::Option* const option = option_named(*app_, args[i]);
    if (option == wanted) return true;
    if (takes_value(option)) ++i;
  }
  return false;
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
