#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

#include "cli/command_line.h"
#include "cli/declared.h"
#include "shell/replaced.h"
#include "terminal/console.h"

namespace gptj::apps {
namespace {

/// As roff has it: nothing in it is a request, a dash stays the one that is typed, quotes stay straight.
std::string in_roff(std::string text) {
  const std::pair<std::string_view, std::string_view> kEscapes[] = {
      {"\\", "\\e"}, {"-", "\\-"}, {"'", "\\(aq"}, {"~", "\\(ti"}, {"^", "\\(ha"}, {"`", "\\(ga"}};
  for (const auto& [from, to] : kEscapes) text = replaced(std::move(text), from, to);
  return text.starts_with('.') ? "\\&" + text : text;
}

std::string bold(const std::string& text) {
  return fmt::format("\\fB{}\\fR", in_roff(text));
}

std::string italic(const std::string& text) {
  return fmt::format("\\fI{}\\fR", in_roff(text));
}

std::string command_text(const Program& program, const Command& command) {
  return command.name.empty() ? program.name : fmt::format("{} {}", program.name, command.name);
}

/// A page is called "gpt-j-convert", and man finds it also as "gpt-j convert".
std::string page_name(const Program& program, const Command& command) {
  return replaced(command_text(program, command), " ", "-");
}

std::string reference(const Program& program, const Command& command) {
  return bold(page_name(program, command)) + "(1)";
}

/// Summaries are sentences; what stands behind a name in an index is none.
std::string short_summary(const Command& command) {
  std::string summary(command.summary);
  summary[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(summary[0])));
  if (summary.ends_with('.')) summary.pop_back();
  return summary;
}

std::string synopsis(const Program& program, const Command& command,
                     const std::vector<DeclaredOption>& options) {
  std::string out = fmt::format("{} [{}]", bold(command_text(program, command)), italic("OPTIONS"));
  for (const DeclaredOption& option : options) {
    if (!option.names.empty()) continue;
    out += fmt::format(fmt::runtime(option.required ? " {}" : " [{}]"), italic(option.value));
  }
  if (!command.name.empty()) return out + "\n";
  return out + fmt::format("\n.br\n{} {} [{}] [{}]\n", bold(program.name), italic("COMMAND"),
                           italic("OPTIONS"), italic("ARGUMENTS"));
}

std::string entry(const DeclaredOption& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.names) names.push_back(bold(name));
  const bool is_literal = option.value.find('|') != option.value.npos;  // the choices themselves
  const std::string value = is_literal ? bold(option.value) : italic(option.value);
  return fmt::format(".TP\n{}{}{}\n{}{}\n", fmt::join(names, ", "),
                     names.empty() || option.value.empty() ? "" : " ", option.value.empty() ? "" : value,
                     in_roff(option.help), option.required && !names.empty() ? " (required)" : "");
}

/// Under their headings, in the order in which these were declared; arguments, which the synopsis shows, first.
std::string entries(const std::vector<DeclaredOption>& options) {
  std::string arguments, out;
  std::vector<std::string> groups;
  for (const DeclaredOption& option : options) {
    if (option.names.empty()) {
      arguments += entry(option);
    } else if (std::find(groups.begin(), groups.end(), option.group) == groups.end()) {
      groups.push_back(option.group);
    }
  }
  if (!arguments.empty()) out = ".SH ARGUMENTS\n" + arguments;
  out += ".SH OPTIONS\n";
  for (const std::string& group : groups) {
    out += fmt::format(".SS {}\n", in_roff(group));
    for (const DeclaredOption& option : options) {
      if (!option.names.empty() && option.group == group) out += entry(option);
    }
  }
  return out;
}

std::string command_list(const Program& program) {
  std::string out = ".SH COMMANDS\n";
  for (const Command& command : commands()) {
    if (command.name.empty()) continue;
    out += fmt::format(".TP\n{}\n{}\n", reference(program, command), in_roff(std::string(command.summary)));
  }
  return out;
}

constexpr std::string_view kExitStatus = R"(.SH EXIT STATUS
.TP
0
Everything was done.
.TP
1
It failed: standard error says why.
.TP
2
The command line could not be understood.
.TP
128 + \fIN\fR
Signal \fIN\fR ended it.
)";

std::string page(const Program& program, const Command& command) {
  const std::vector<DeclaredOption> options = declared_options(program, command);
  const std::string name = page_name(program, command);
  std::string upper = name;
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  std::string out = fmt::format(".TH \"{}\" 1 \"\" \"{} {}\" \"User Commands\"\n.ad l\n.SH NAME\n{} \\- {}\n",
                                in_roff(upper), in_roff(program.name), program.version, in_roff(name),
                                in_roff(short_summary(command)));
  out += ".SH SYNOPSIS\n" + synopsis(program, command, options);
  out += ".SH DESCRIPTION\n" + in_roff(std::string(command.summary)) + "\n";
  if (command.name.empty()) out += command_list(program);
  out += entries(options);
  out += kExitStatus;
  if (!command.name.empty()) out += ".SH SEE ALSO\n" + reference(program, commands().front()) + "\n";
  return out;
}

}  // namespace

int man_command(const Program& program, const Command& command, std::vector<std::string> args) {
  CommandLine line(program, command);
  std::optional<std::string> wanted;
  bool list = false;
  std::vector<std::string> words;
  std::string known;
  for (const Command& other : commands()) {
    if (other.name.empty()) continue;
    words.emplace_back(other.name);
    known += words.back() + "\n";
  }
  line.word("COMMAND", wanted, "", words, "the command that the page is about [default: the program itself]");
  line.group("Output");
  line.flag("--list", list, "print the commands that have a page, one on each line");
  if (!line.parse(std::move(args))) return 0;
  line.at_most_one({"COMMAND", "--list"});

  const auto is_wanted = [&](const Command& other) { return other.name == wanted.value_or(""); };
  const auto about = std::find_if(commands().begin(), commands().end(), is_wanted);
  write_out(list ? known : page(program, *about));
  return 0;
}

}  // namespace gptj::apps
