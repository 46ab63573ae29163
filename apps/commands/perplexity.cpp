#include "gptj/perplexity.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "base/quoted.h"
#include "cli/command_line.h"
#include "commands/perplexity_report.h"
#include "gptj/kl_divergence.h"
#include "options/common.h"
#include "options/loading.h"
#include "options/output.h"
#include "program.h"
#include "terminal/console.h"

namespace gptj::apps {
namespace {

struct Options {
  ModelOption model;
  TextOptions text;
  SessionOptions session;
  std::optional<std::string> kl_base, save_kl_base;
  bool json = false;
  MemoryOptions memory;
  LogOptions log;
};

/// What is done with the predictions, beside scoring them.
class Comparison {
 public:
  /// Throws Error for files that cannot be used.
  Comparison(const Options& options, const ScoredText& text) : path_(options.save_kl_base.value_or("")) {
    if (options.save_kl_base) writer_.emplace(*options.save_kl_base, text);
    if (options.kl_base) divergence_.emplace(*options.kl_base, text);
  }

  ScoredToken scored() {
    if (writer_) return [this](int id, std::span<const float> logits) { writer_->add(id, logits); };
    if (divergence_) return [this](int id, std::span<const float> logits) { divergence_->add(id, logits); };
    return {};
  }

  /// After the last token.
  std::optional<KlResult> finish(const Log& log) {
    if (writer_) {
      const uint64_t bytes = writer_->finish();
      log.line("perplexity: wrote '{}': {:.2f} MB", escaped(path_), megabytes(bytes));
    }
    if (divergence_) return divergence_->result();
    return {};
  }

 private:
  std::string path_;
  std::optional<KlBaseWriter> writer_;
  std::optional<KlDivergence> divergence_;
};

PerplexityResult measure(Session& session, const std::vector<int>& ids, const ScoredToken& scored,
                         const Log& log) {
  ProgressLine progress("perplexity", log);
  const Stopwatch time;
  const auto show = [&](const PerplexityResult& so_far, int n_windows) {
    const double tokens = static_cast<double>(so_far.n_windows) * session.n_ctx();
    progress.update(static_cast<uint64_t>(so_far.n_windows), static_cast<uint64_t>(n_windows),
                    fmt::format("window {} of {}: {:.4f}, {:.1f} tokens/s", so_far.n_windows, n_windows,
                                so_far.perplexity, tokens / time.ms() * 1000));
    return !stop_asked();
  };
  const PerplexityResult result = perplexity(session, ids, show, scored);
  stop_if_asked();
  progress.done();
  const double ms = time.ms();
  const double tokens = static_cast<double>(result.n_windows) * session.n_ctx();
  log.line("perplexity: time = {:.2f} ms / {:.0f} tokens / {:.2f} tokens per second", ms, tokens,
           tokens / ms * 1000);
  return result;
}

void declare(CommandLine& line, Options& options, const Program& program) {
  options.model.declare(line, program);
  options.model.declare_type(line);
  options.text.declare(line);
  line.group("Output");
  line.flag("--json", options.json, "print one JSON object");
  line.text("--save-kl-base", options.save_kl_base, "FILE",
            "write what the model predicts at every scored token, 2 bytes for each token of its vocabulary");
  line.text("--kl-base", options.kl_base, "FILE",
            "compare with the predictions that --save-kl-base wrote of another model for the same text");
  declare_session(line, options.session);
  declare_window(line, options.session);
  options.memory.declare(line);
  options.log.declare(line);
}

void write_perplexity(const Program& program, Options& options) {
  const Log log = options.log.log();
  check_out();
  const std::string text = options.text.read(log);
  OpenedModel opened = options.model.open(program, log);
  if (options.save_kl_base) check_output(*options.save_kl_base, opened.info(), options.text.file);
  resolve_window(options.session, opened.info());
  const std::vector<int> ids = opened.tokenizer().encode(text);
  perplexity_windows(ids.size(), options.session.n_ctx);  // or what is wrong with them: before long work
  Comparison comparison(options, {opened.info().n_vocab, options.session.n_ctx, ids});
  const Model model = load_model(std::move(opened), options.session, options.memory, log);
  Session session(model, options.session);
  log.line("perplexity: instruction set = {}, threads = {}", instruction_set(), session.n_threads());
  const PerplexityResult result = measure(session, ids, comparison.scored(), log);
  if (!std::isfinite(result.perplexity)) {  // of which JSON knows nothing
    throw Error(fmt::format("perplexity: expected a finite number, found {}", result.perplexity));
  }
  const PerplexityReport report{result, session.n_ctx(), ids.size(), comparison.finish(log)};
  write_out(options.json ? report.as_json() : report.as_text());
}

}  // namespace

int perplexity_command(const Program& program, const Command& command, std::vector<std::string> args) {
  CommandLine line(program, command);
  Options options;
  declare(line, options, program);
  if (!line.parse(std::move(args))) return 0;
  line.at_most_one({"--prompt", "--file"});
  line.at_most_one({"--save-kl-base", "--kl-base"});
  write_perplexity(program, options);
  return 0;
}

}  // namespace gptj::apps
