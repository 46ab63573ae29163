#include "shell/completion.h"

#include <algorithm>
#include <iterator>

#include "cli/command_line.h"
#include "shell/replaced.h"
#include "terminal/console.h"

namespace gptj::apps {

Offer offer_for(const DeclaredOption& option) {
  if (!option.choices.empty()) return Offer::choices;
  // Help calls the same thing the same everywhere, so that says enough.
  constexpr std::pair<std::string_view, Offer> kByName[] = {
      {"FILE", Offer::files},   {"OUT", Offer::files}, {"DIR", Offer::directories},
      {"MODEL", Offer::models}, {"IN", Offer::models}, {"NAME", Offer::fetched_models}};
  const auto* const found = std::find_if(std::begin(kByName), std::end(kByName),
                                         [&](const auto& row) { return row.first == option.value; });
  return found == std::end(kByName) ? Offer::nothing : found->second;
}

std::string function_name(const Program& program) {
  return "_" + replaced(program.name, "-", "_");
}

int completion_command(const Program& program, const Command& command, std::vector<std::string> args) {
  CommandLine line(program, command);
  std::optional<std::string> shell;
  line.word("SHELL", shell, "", {"bash", "zsh"},
            "bash or zsh: for the running one, source <(" + program.name + " completion bash)");
  line.require("SHELL");
  if (!line.parse(std::move(args))) return 0;
  write_out(*shell == "bash" ? bash_completion(program) : zsh_completion(program));
  return 0;
}

}  // namespace gptj::apps
