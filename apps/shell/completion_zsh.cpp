#include <fmt/ranges.h>

#include "shell/completion.h"
#include "shell/replaced.h"

namespace gptj::apps {
namespace {

/// For single quotes.
std::string in_quotes(std::string_view text) {
  return replaced(std::string(text), "'", R"('\'')");
}

/// The same where _arguments reads brackets and colons.
std::string as_message(std::string text) {
  for (const std::string_view special : {"\\", "[", "]", ":"}) {
    text = replaced(text, special, "\\" + std::string(special));
  }
  return in_quotes(text);
}

std::string action(const DeclaredOption& option) {
  switch (offer_for(option)) {
    case Offer::nothing:
      return " ";
    case Offer::choices:
      return fmt::format("({})", fmt::join(option.choices, " "));
    case Offer::files:
      return "_files";
    case Offer::directories:
      return "_files -/";
    case Offer::models:
      return "@FUNCTION@_models";
    case Offer::fetched_models:
      return "@FUNCTION@_fetched";
  }
  return "";
}

/// What _arguments is told: '(-m --model)'{-m,--model=}'[help]:MODEL:action'
std::string specification(const DeclaredOption& option) {
  const std::string value =
      option.value.empty() ? "" : fmt::format(":{}:{}", as_message(option.value), action(option));
  if (option.names.empty()) return fmt::format("'{}{}'", option.required ? "" : ":", value);
  std::vector<std::string> names = option.names;
  for (std::string& name : names) {
    if (name.starts_with("--") && !option.value.empty()) name += '=';  // the value may be in the same word
  }
  const std::string alone = option.repeated ? "*" : fmt::format("({})", fmt::join(option.names, " "));
  const std::string help = fmt::format("[{}]{}", as_message(option.help), value);
  if (names.size() == 1) return fmt::format("'{}{}{}'", alone, names[0], help);
  return fmt::format("'{}'{{{}}}'{}'", alone, fmt::join(names, ","), help);
}

/// The words after the command.
std::string arguments_of(const Program& program, const Command& command) {
  std::string out = "_arguments";
  for (const DeclaredOption& option : declared_options(program, command)) {
    out += " \\\n        " + specification(option);
  }
  return out + "\n";
}

constexpr std::string_view kScript = R"zsh(#compdef @PROGRAM@
# Completes command lines of @PROGRAM@ in zsh; written by '@PROGRAM@ completion zsh'.

@FUNCTION@_fetched() {
  local -a names=(${(f)"$(${~program} list --names 2>/dev/null)"})
  compadd -a names
}

@FUNCTION@_models() {
  _alternative 'names:fetched model:@FUNCTION@_fetched' 'files:file or directory:_files'
}

@FUNCTION@() {
  local program=$words[1]
  if [[ $CURRENT -eq 2 && $words[2] != -* ]]; then
    local -a commands=(
@COMMANDS@    )
    _describe command commands
    return
  fi
  case $words[2] in
@CASES@  esac
}

# A file in $fpath is itself the function; else it was sourced.
if [[ $funcstack[1] == _@PROGRAM@ ]]; then
  @FUNCTION@ "$@"
else
  compdef @FUNCTION@ @PROGRAM@
fi
)zsh";

}  // namespace

std::string zsh_completion(const Program& program) {
  std::string list, cases, otherwise;
  for (const Command& command : commands()) {
    const std::string arguments = arguments_of(program, command);
    if (command.name.empty()) {
      otherwise = fmt::format("    *)\n      {}      ;;\n", arguments);
      continue;
    }
    list += fmt::format("      '{}:{}'\n", command.name, in_quotes(command.summary));
    cases += fmt::format("    {})\n      shift words\n      (( CURRENT -= 1 ))\n      {}      ;;\n",
                         command.name, arguments);
  }
  return filled_in(kScript, {{"@COMMANDS@", list},
                             {"@CASES@", cases + otherwise},
                             {"@PROGRAM@", program.name},
                             {"@FUNCTION@", function_name(program)}});
}

}  // namespace gptj::apps
