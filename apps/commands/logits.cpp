#include <fmt/format.h>

#include "base/quoted.h"
#include "cli/command_line.h"
#include "gptj/intermediates.h"
#include "gptj/npy.h"
#include "options/common.h"
#include "options/ids.h"
#include "options/loading.h"
#include "options/output.h"
#include "program.h"
#include "terminal/console.h"

namespace gptj::apps {
namespace {

struct Options {
  ModelOption model;
  TextOptions text;
  std::optional<std::string> ids, output, dump;
  SessionOptions session;
  MemoryOptions memory;
  LogOptions log;
};

std::vector<int> wanted_ids(const Options& options, const OpenedModel& model) {
  std::vector<int> ids = options.ids ? read_ids("--ids", *options.ids, model.info().n_vocab)
                                     : model.tokenizer().encode(options.text.read(options.log.log()));
  if (ids.empty()) throw Error("expected at least one token, found an empty text");
  const int n_ctx = model.info().n_ctx;
  if (ids.size() > static_cast<size_t>(n_ctx)) {
    throw Error(fmt::format("the text is too long: expected at most {} tokens, the model's context, found {}",
                            n_ctx, ids.size()));
  }
  return ids;
}

void declare(CommandLine& line, Options& options, const Program& program) {
  options.model.declare(line, program);
  options.model.declare_type(line);
  options.text.declare(line);
  line.text("--ids", options.ids, "IDS", "token ids instead of a text (1,2,3 or @FILE)");
  line.group("Output");
  line.text("-o,--output", options.output, "FILE", "the .npy file: float32, shape (tokens, n_vocab)");
  line.text("--dump", options.dump, "DIR",
            "a directory for every named intermediate, from 'embed' to 'ln_f': float32, shape (tokens, n)");
  declare_speed(line, options.session);
  options.memory.declare(line);
  options.log.declare(line);
}

void check(const CommandLine& line, const Options& options) {
  line.at_most_one({"--ids", "--prompt", "--file"});
  line.different_paths({"-o", "--dump"});
  if (!options.output && !options.dump)
    throw UsageError("-o or --dump: expected where to write, found neither");
}

void write_logits(const Program& program, Options& options) {
  const Log log = options.log.log();
  OpenedModel opened = options.model.open(program, log);
  if (options.output) check_output(*options.output, opened.info(), options.text.file);
  const std::vector<int> ids = wanted_ids(options, opened);
  options.session.n_ctx = static_cast<int>(ids.size());
  options.session.exact = true;  // these are what others are measured against
  options.session.kv_type = KvType::f32;

  session_memory(opened.info(), options.session);  // tells what is wrong with the options before long work
  std::optional<NpyWriter> file;
  std::optional<IntermediatesWriter> dump;
  const auto n_tokens = static_cast<int>(ids.size());
  if (options.output) file.emplace(*options.output, n_tokens, opened.info().n_vocab);
  if (options.dump) dump.emplace(*options.dump, n_tokens);
  const Model model = load_model(std::move(opened), options.session, options.memory, log);
  Session session(model, options.session);
  if (dump) session.watch([&](const Intermediate& seen) { dump->add(seen); });
  ProgressLine progress("logits", log);
  session.prefill_each(ids, [&](int index, std::span<const float> logits) {
    stop_if_asked();
    if (file) file->row(logits);
    progress.update(static_cast<uint64_t>(index) + 1, ids.size());
  });
  if (file) file->finish();
  const size_t n_files = dump ? dump->finish() : 0;
  progress.done();
  if (file) {
    log.line("logits: wrote '{}': {} tokens, {} values each", escaped(*options.output), n_tokens,
             model.info().n_vocab);
  }
  if (dump) log.line("logits: wrote '{}': {} intermediates", escaped(*options.dump), n_files);
}

}  // namespace

int logits_command(const Program& program, const Command& command, std::vector<std::string> args) {
  CommandLine line(program, command);
  Options options;
  declare(line, options, program);
  if (!line.parse(std::move(args))) return 0;
  check(line, options);
  write_logits(program, options);
  return 0;
}

}  // namespace gptj::apps
