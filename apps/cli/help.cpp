#include "cli/help.h"

#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string_view>

#include "terminal/console.h"

namespace gptj::apps {
namespace {

constexpr size_t kColumn = 34;     // where the texts of options begin
constexpr size_t kMaxWidth = 100;  // longer lines are tiring to read
constexpr size_t kMinText = 20;
constexpr std::string_view kDefault = " [default:";

/// `text` in lines of at most `width` columns, unless a word is longer; all but the first are indented. A default stays
/// with its bracket.
std::string wrapped(std::string_view text, size_t width, size_t indent) {
  std::string out;
  while (text.size() > width) {
    size_t end = text.rfind(' ', width);
    if (end != text.npos && text.substr(0, end).ends_with(kDefault)) end -= kDefault.size();
    if (end == text.npos) end = text.find(' ');
    if (end == text.npos) break;
    out.append(text.substr(0, end)).append("\n").append(indent, ' ');
    text.remove_prefix(end + 1);
  }
  return out + std::string(text);
}

class Formatter : public CLI::Formatter {
 public:
  Formatter(const Program& program, const Command& command)
      : program_(program.name), has_commands_(command.name.empty()) {
    const size_t width = std::min(output_columns().value_or(kMaxWidth), kMaxWidth);
    text_width_ = std::max(width, kColumn + kMinText) - kColumn;
    column_width(kColumn);
    label("REQUIRED", "(required)");
  }

  std::string make_usage(const CLI::App* app, std::string name) const override {
    std::string usage = CLI::Formatter::make_usage(app, name);
    if (has_commands_) usage += fmt::format("       {} COMMAND [OPTIONS] [ARGUMENTS]\n", name);
    return usage;
  }

  std::string make_option_name(const CLI::Option* option, bool is_positional) const override {
    const std::vector<std::string> names = option_names(*option);
    return names.empty() ? CLI::Formatter::make_option_name(option, is_positional)
                         : fmt::format("{}", fmt::join(names, ","));
  }

  std::string make_option_desc(const CLI::Option* option) const override {
    return wrapped(option->get_description(), text_width_, 0);  // CLI11 indents it
  }

  std::string make_footer(const CLI::App*) const override {
    if (!has_commands_) return "";
    constexpr size_t kSummaryColumn = 23;
    std::string out = "Commands:\n";
    for (const Command& command : commands()) {
      if (command.name.empty()) continue;
      out += fmt::format("{:<{}}{}\n", fmt::format("  {} {}", program_, command.name), kSummaryColumn,
                         wrapped(command.summary, text_width_ + kColumn - kSummaryColumn, kSummaryColumn));
    }
    return out + fmt::format("\n{} COMMAND --help shows the options of a command.\n", program_);
  }

 private:
  std::string program_;
  bool has_commands_;
  size_t text_width_;
};

}  // namespace

std::shared_ptr<CLI::FormatterBase> help_formatter(const Program& program, const Command& command) {
  return std::make_shared<Formatter>(program, command);
}

std::vector<std::string> option_names(const CLI::Option& option) {
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

}  // namespace gptj::apps
