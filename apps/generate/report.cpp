#include "generate/report.h"

#include "base/quoted.h"

namespace gptj::apps {
namespace {

/// `part` per one of `n`, 0 if there are none.
double per(double part, int n) {
  return n == 0 ? 0 : part / n;
}

}  // namespace

void report_prompt(const std::vector<int>& ids, const Tokenizer& tokenizer, const Log& log) {
  log.line("main: number of tokens in prompt = {}", ids.size());
  if (!log.verbose()) return;
  for (size_t i = 0; i < ids.size(); ++i) {
    log.line("main: token[{}] = {:6}, '{}'", i, ids[i], escaped(tokenizer.decode(ids[i])));
  }
}

void report_end(const GenerateResult& r, const GenerateOptions& options, const Log& log) {
  if (r.reason == StopReason::time) log.line("main: stopped after {:.3g} seconds", options.max_seconds);
  if (r.reason == StopReason::context_full) log.line("main: stopped where the context is full");
  if (r.reason == StopReason::stop_text) {
    log.line("main: stopped at '{}'", escaped(options.stop[static_cast<size_t>(r.stop)]));
  }
}

void report_times(const GenerateResult& r, double load_ms, const Log& log) {
  const double predict_ms = r.prompt_ms + r.generate_ms;
  const int n_read = r.n_prompt - r.n_reused;
  log.line("main:     load time = {:8.2f} ms", load_ms);
  log.line("main:   sample time = {:8.2f} ms", r.sample_ms);
  log.line("main:   prompt time = {:.2f} ms / {} tokens / {:.2f} ms per token", r.prompt_ms, n_read,
           per(r.prompt_ms, n_read));
  log.line("main: generate time = {:.2f} ms / {} tokens / {:.2f} ms per token", r.generate_ms, r.n_evaluated,
           per(r.generate_ms, r.n_evaluated));
  log.line("main:  predict time = {:8.2f} ms / {:.2f} ms per token", predict_ms,
           per(predict_ms, n_read + r.n_evaluated));
}

void report_reading(const GenerateResult& r, const ModelInfo& info, uint64_t kv_bytes_per_token,
                    const Log& log) {
  if (r.n_evaluated == 0 || r.generate_ms <= 0 || r.n_guessed > 0) return;  // guesses share what is read
  const double mean_past = r.n_prompt + (r.n_evaluated + 1) / 2.0;
  const double bytes =
      static_cast<double>(info.read_bytes) + static_cast<double>(kv_bytes_per_token) * mean_past;
  log.line("main:    read speed = {:.2f} GB/s ({:.2f} MB per generated token)",
           bytes * r.n_evaluated / (r.generate_ms * 1e6), bytes / (1024.0 * 1024.0));
}

}  // namespace gptj::apps
