#include "base/quoted.h"
#include "cli/command_line.h"
#include "gptj/error.h"
#include "gptj/hub.h"
#include "options/common.h"
#include "options/model_path.h"
#include "program.h"
#include "terminal/rate.h"

namespace gptj::apps {
namespace {

uint64_t remove(const std::string& name, const std::string& revision) {
  try {
    return remove_cached_model(name, revision, hub_settings());
  } catch (const Error& error) {
    throw Error(error.what() + similar_cached_model(name));
  }
}

}  // namespace

int remove_command(const Program& program, const Command& command, std::vector<std::string> args) {
  CommandLine line(program, command);
  std::optional<std::string> name, revision;
  LogOptions log;
  line.group("Model");
  line.text("NAME", name, "", "as 'gpt-j list' shows it");
  line.require("NAME");
  line.text("--revision", revision, "REVISION", "only this branch, tag or commit of it [default: all]");
  log.declare_quiet(line);
  if (!line.parse(std::move(args))) return 0;

  split_revision(*name, revision);
  const uint64_t bytes = remove(*name, revision.value_or(""));
  log.log().line("rm: '{}'{} removed from the cache: {} are free again", escaped(*name),
                 revision ? fmt::format(", revision '{}',", escaped(*revision)) : "", bytes_text(bytes));
  return 0;
}

}  // namespace gptj::apps
