#include "base/quoted.h"
#include "cli/command_line.h"
#include "gptj/hub.h"
#include "options/common.h"
#include "options/model_path.h"
#include "program.h"
#include "terminal/console.h"
#include "terminal/rate.h"

namespace gptj::apps {
namespace {

struct Options {
  std::optional<std::string> name, revision, file;
  LogOptions log;
};

PulledModel pull(const Options& options, const Log& log) {
  ProgressLine progress("pull", log);
  TransferNote note;
  uint64_t done = 0, total = 0;
  PullOptions what;
  what.revision = options.revision.value_or("main");
  what.file = options.file.value_or("");
  what.progress = [&](uint64_t now, uint64_t of) {
    done = now, total = of;
    if (total > 0) progress.update(done, total, note.update(done, total));
    return !stop_asked();
  };
  what.notice = [&](const std::string& text) {
    progress.interrupt();
    log.line("pull: {}", text);
  };
  try {
    PulledModel model = pull_model(*options.name, what, hub_settings());
    progress.done();
    return model;
  } catch (...) {
    progress.interrupt();
    if (done > 0) {
      log.line("pull: {} of {} have arrived and are kept: the same command goes on from there",
               bytes_text(done), bytes_text(total));
    }
    throw;
  }
}

}  // namespace

int pull_command(const Program& program, const Command& command, std::vector<std::string> args) {
  CommandLine line(program, command);
  Options options;
  line.group("Model");
  line.text("NAME", options.name, "",
            "ORG/NAME as the hub has it, e.g. EleutherAI/gpt-j-6b, or ORG/NAME@REVISION");
  line.require("NAME");
  line.text("--revision", options.revision, "REVISION", "a branch, tag or commit [default: main]");
  line.text("--file", options.file, "FILE", "only this file of it [default: what the model needs]");
  options.log.declare_quiet(line);
  if (!line.parse(std::move(args))) return 0;
  split_revision(*options.name, options.revision);

  const Log log = options.log.log();
  const PulledModel model = pull(options, log);
  log.line("pull: {} files, {}, of which {} were fetched; revision {}", model.n_files,
           bytes_text(model.bytes), bytes_text(model.fetched), model.commit);
  write_out(escaped(model.path) + "\n");
  return 0;
}

}  // namespace gptj::apps
