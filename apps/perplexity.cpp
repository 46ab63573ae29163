#include "gptj/perplexity.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "command_line.h"
#include "console.h"
#include "loading.h"
#include "options.h"
#include "program.h"

namespace gptj::apps {
namespace {

constexpr int kDefaultWindow = 512;  // that of llama.cpp, so that figures can be compared

constexpr std::string_view kMethod =
    "windows without overlap, each evaluated from an empty context, the second half of each scored "
    "(as llama.cpp's perplexity)";

struct Options {
  ModelOption model;
  TextOptions text;
  SessionOptions session;
  bool json = false;
  MemoryOptions memory;
  LogOptions log;
};

PerplexityResult measure(Session& session, const std::vector<int>& ids, const Log& log) {
  ProgressLine progress("perplexity", log);
  const Stopwatch time;
  const PerplexityResult result =
      perplexity(session, ids, [&](const PerplexityResult& so_far, int n_windows) {
        const double tokens = static_cast<double>(so_far.n_windows) * session.n_ctx();
        progress.update(static_cast<uint64_t>(so_far.n_windows), static_cast<uint64_t>(n_windows),
                        fmt::format("window {} of {}: {:.4f}, {:.1f} tokens/s", so_far.n_windows, n_windows,
                                    so_far.perplexity, tokens / time.ms() * 1000));
        return stop_signal() == 0;
      });
  if (stop_signal() != 0) throw Error("stopped");
  progress.done();
  const double ms = time.ms();
  const double tokens = static_cast<double>(result.n_windows) * session.n_ctx();
  log.line("perplexity: time = {:.2f} ms / {:.0f} tokens / {:.2f} tokens per second", ms, tokens,
           tokens / ms * 1000);
  return result;
}

std::string as_json(const PerplexityResult& r, int n_ctx, size_t n_tokens) {
  return fmt::format(
      R"({{"perplexity":{},"error":{},"nll":{},"n_ctx":{},"n_windows":{},"n_scored":{},"n_tokens":{},"method":"{}"}})"
      "\n",
      r.perplexity, r.error, r.nll, n_ctx, r.n_windows, r.n_scored, n_tokens, kMethod);
}

std::string as_text(const PerplexityResult& r, int n_ctx, size_t n_tokens) {
  return fmt::format(
      "perplexity = {:.4f} +/- {:.4f}\n"
      "nll = {:.6f} nats per token\n"
      "windows = {} of {} tokens ({} of {} tokens scored)\n"
      "method = {}\n",
      r.perplexity, r.error, r.nll, r.n_windows, n_ctx, r.n_scored, n_tokens, kMethod);
}

}  // namespace

int perplexity_command(const Program& program, const Command& command, std::vector<std::string> args) {
  CommandLine line(program, command);
  Options options;
  options.model.declare(line, program);
  options.model.declare_type(line);
  options.text.declare(line);
  line.group("Output");
  line.flag("--json", options.json, "print one JSON object");
  declare_session(line, options.session);
  line.number(
      "-c,--ctx,--ctx-size,--ctx_size", options.session.n_ctx, 0, std::numeric_limits<int>::max(),
      fmt::format("tokens of a window (0: {}, or the model's context where that is less)", kDefaultWindow));
  options.memory.declare(line);
  options.log.declare(line);
  if (!line.parse(std::move(args))) return 0;

  line.at_most_one({"--prompt", "--file"});
  const Log log = options.log.log();
  check_out();
  const std::string text = options.text.read();
  OpenedModel opened = options.model.open(program, log);
  if (options.session.n_ctx == 0) options.session.n_ctx = std::min(kDefaultWindow, opened.info().n_ctx);
  const std::vector<int> ids = opened.tokenizer().encode(text);
  perplexity_windows(ids.size(),
                     options.session.n_ctx);  // tells of a text that is too short before long work
  const Model model = load_model(std::move(opened), options.session, options.memory, log);
  Session session(model, options.session);
  log.line("perplexity: instruction set = {}, threads = {}", instruction_set(), session.n_threads());
  const PerplexityResult result = measure(session, ids, log);
  if (!std::isfinite(result.perplexity)) {  // of which JSON knows nothing
    throw Error(fmt::format("perplexity: expected a finite number, found {}", result.perplexity));
  }
  write_out(options.json ? as_json(result, session.n_ctx(), ids.size())
                         : as_text(result, session.n_ctx(), ids.size()));
  return 0;
}

}  // namespace gptj::apps
