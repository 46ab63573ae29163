#include "gptj/verify.h"

#include "base/quoted.h"
#include "cli/command_line.h"
#include "options/common.h"
#include "options/loading.h"
#include "program.h"
#include "terminal/console.h"

namespace gptj::apps {
namespace {

std::string report(const std::string& path, const VerifyResult& result) {
  std::string out;
  for (const std::string& damage : result.damaged) out += fmt::format("damaged: {}\n", damage);
  const char* checked = result.checksums
                            ? "header and checksums of all tensors"
                            : "header, names and shapes, all weights readable, scales finite; this form has "
                              "no checksums";
  out += fmt::format("{}: {}: {}: {} tensors, {:.2f} MB ({})\n", escaped(path), result.file_format,
                     result.damaged.empty() ? "good" : fmt::format("{} damaged", result.damaged.size()),
                     result.n_tensors, megabytes(result.bytes), checked);
  return out;
}

}  // namespace

int verify_command(const Program& program, const Command& command, std::vector<std::string> args) {
  CommandLine line(program, command);
  ModelOption model;
  SessionOptions session;
  LogOptions log_options;
  model.declare(line, program);
  line.text("MODEL", model.path, "", "the same as -m");
  declare_threads(line, session);
  log_options.declare_quiet(line);
  if (!line.parse(std::move(args))) return 0;
  line.at_most_one({"MODEL", "--model"});

  const Log log = log_options.log();
  const std::string path = model.resolve(program, log);
  ProgressLine progress("verify", log);
  VerifyOptions options;
  options.n_threads = session.n_threads;
  options.progress = [&](uint64_t done, uint64_t total) {
    progress.update(done, total);
    return !stop_asked();
  };
  const VerifyResult result = verify_model(path, options);
  progress.done();
  write_out(report(path, result));
  return result.damaged.empty() ? 0 : 1;
}

}  // namespace gptj::apps
