#include <fmt/ranges.h>

#include "shell/completion.h"
#include "shell/replaced.h"

namespace gptj::apps {
namespace {

/// Uses nothing of the package bash-completion, which need not be there.
constexpr std::string_view kScript =
    R"bash(# Completes command lines of @PROGRAM@ in bash; written by '@PROGRAM@ completion bash'.

# What the command $1 declares, and in value what its option $2 takes, spelt with '-' or '_': nothing if empty, else
# words to choose from or what to offer.
@FUNCTION@_declared() {
  value=''
  case $1 in
@CASES@  esac
}

@FUNCTION@() {
  local current=${COMP_WORDS[COMP_CWORD]} words=("${COMP_WORDS[@]:1:COMP_CWORD - 1}")
  local command='' commands='' options arguments value wanted='' n=0 word
  COMPREPLY=()
  [[ $current != '=' ]] || current=''  # '--name=value' is three words
  case ${words[0]-} in
    @PATTERN@) command=${words[0]} words=("${words[@]:1}") ;;
    '') commands='@WORDS@' ;;
  esac
  for word in "${words[@]}"; do
    [[ $word != '=' ]] || continue
    if [[ -n $wanted ]]; then
      wanted=''  # the word is the value of the one before it
      continue
    fi
    @FUNCTION@_declared "$command" "$word"
    wanted=$value
    [[ $word == -* ]] || n=$((n + 1))
  done
  @FUNCTION@_declared "$command" ''
  if [[ -z $wanted ]]; then
    wanted=${arguments[n]:-$commands}
    [[ $current != -* && -n $wanted ]] || wanted=$options
  fi
  case $wanted in
    @nothing) ;;
    @files) compopt -o default ;;
    @directories) compopt -o dirnames ;;
    @models | @fetched)
      while IFS= read -r word; do
        [[ $word != "$current"* ]] || COMPREPLY+=("$word")
      done < <("$1" list --names 2>/dev/null; [[ $wanted == @fetched ]] || compgen -f -- "$current")
      [[ $wanted == @fetched ]] || compopt -o filenames -o default
      ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$wanted" -- "$current") ;;
  esac
}

complete -F @FUNCTION@ @PROGRAM@
)bash";

/// As the script's variable `wanted` has it.
std::string wanted(const DeclaredOption& option) {
  switch (offer_for(option)) {
    case Offer::nothing:
      return "@nothing";
    case Offer::choices:
      return fmt::format("{}", fmt::join(option.choices, " "));
    case Offer::files:
      return "@files";
    case Offer::directories:
      return "@directories";
    case Offer::models:
      return "@models";
    case Offer::fetched_models:
      return "@fetched";
  }
  return "";
}

/// The case of one command in the function that tells what is declared.
std::string declared_case(const Program& program, const Command& command) {
  std::string values;
  std::vector<std::string> names, arguments;
  for (const DeclaredOption& option : declared_options(program, command)) {
    names.insert(names.end(), option.names.begin(), option.names.end());
    if (option.names.empty()) {
      arguments.push_back(fmt::format("'{}'", wanted(option)));
    } else if (!option.value.empty()) {
      const std::string pattern = replaced(fmt::format("{}", fmt::join(option.names, " | ")), "_", "-");
      values += fmt::format("        {}) value='{}' ;;\n", pattern, wanted(option));
    }
  }
  return fmt::format(
      "    '{}')\n"
      "      options='{}'\n"
      "      arguments=({})\n"
      "      case ${{2//_/-}} in\n{}      esac\n"
      "      ;;\n",
      command.name, fmt::join(names, " "), fmt::join(arguments, " "), values);
}

}  // namespace

std::string bash_completion(const Program& program) {
  std::vector<std::string_view> words;
  std::string cases;
  for (const Command& command : commands()) {
    if (!command.name.empty()) words.push_back(command.name);
    cases += declared_case(program, command);
  }
  return filled_in(kScript, {{"@CASES@", cases},
                             {"@WORDS@", fmt::format("{}", fmt::join(words, " "))},
                             {"@PATTERN@", fmt::format("{}", fmt::join(words, " | "))},
                             {"@PROGRAM@", program.name},
                             {"@FUNCTION@", function_name(program)}});
}

}  // namespace gptj::apps
