#include <fmt/format.h>

#include "base/quoted.h"
#include "cli/command_line.h"
#include "gptj/importance.h"
#include "options/common.h"
#include "options/loading.h"
#include "options/output.h"
#include "program.h"

namespace gptj::apps {
namespace {

struct Options {
  ModelOption model;
  TextOptions text;
  std::optional<std::string> output;
  SessionOptions session;
  MemoryOptions memory;
  LogOptions log;
};

}  // namespace

int imatrix_command(const Program& program, const Command& command, std::vector<std::string> args) {
  CommandLine line(program, command);
  Options options;
  options.model.declare(line, program);
  options.model.declare_type(line);
  options.text.declare(line);
  line.group("Output");
  line.text("-o,--output", options.output, "FILE", "the file to write, for 'quantize --imatrix'");
  line.require("-o");
  declare_speed(line, options.session);
  declare_window(line, options.session);
  options.memory.declare(line);
  options.log.declare(line);
  if (!line.parse(std::move(args))) return 0;
  line.at_most_one({"--prompt", "--file"});

  const Log log = options.log.log();
  const std::string text = options.text.read(log);
  OpenedModel opened = options.model.open(program, log);
  check_output(*options.output, opened.info(), options.text.file);
  const std::vector<int> ids = opened.tokenizer().encode(text);
  if (ids.empty()) throw Error("imatrix: expected a text of at least one token, found none");
  resolve_window(options.session, opened.info());
  options.session.exact = true;
  const Model model = load_model(std::move(opened), options.session, options.memory, log);
  Session session(model, options.session);
  ProgressLine progress("imatrix", log);
  const ImportanceResult result = measure_importance(session, ids, *options.output, [&](int done, int total) {
    progress.update(static_cast<uint64_t>(done), static_cast<uint64_t>(total),
                    fmt::format("window {} of {}", done, total));
    return !stop_asked();
  });
  progress.done();
  log.line("imatrix: wrote '{}': the inputs of {} matrices over {} tokens", escaped(*options.output),
           result.n_matrices, result.n_tokens);
  return 0;
}

}  // namespace gptj::apps
