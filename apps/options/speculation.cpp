#include "options/speculation.h"

#include <algorithm>

#include "base/file.h"
#include "options/model_path.h"

namespace gptj::apps {

void Speculation::declare(CommandLine& line) {
  line.group("Guessing, for the same text in less time");
  line.text("--draft", draft_path_, "MODEL",
            "a smaller model with the same vocabulary, which guesses what comes");
  line.flag("--lookup", lookup_, "guess what followed the last words before: for texts that copy");
}

void Speculation::check(const CommandLine& line) {
  line.at_most_one({"--draft", "--lookup"});
}

void Speculation::open(const OpenedModel& model) {
  if (!draft_path_) return;
  const OpenedModel& draft = opened_draft_.emplace(model_path(*draft_path_));
  check_same_vocabulary(model.info(), model.tokenizer(), draft.info(), draft.tokenizer());
}

void Speculation::check_output(const std::string& output) const {
  if (opened_draft_) expect_other_file(output, opened_draft_->info().sources);
}

void Speculation::load(const Model& model, const SessionOptions& session, const SamplerOptions& sampling,
                       const MemoryOptions& memory, const Log& log) {
  if (lookup_) drafter_ = std::make_unique<LookupDrafter>();
  if (!opened_draft_) return;
  SessionOptions options = session;
  options.n_sequences = 1;
  const int n_ctx = session.n_ctx == 0 ? model.info().n_ctx : session.n_ctx;
  options.n_ctx = std::min(n_ctx, opened_draft_->info().n_ctx);
  draft_.emplace(load_model(std::move(*opened_draft_), options, memory, log));
  drafter_ = std::make_unique<ModelDrafter>(*draft_, options, sampling);
}

void Speculation::report(const GenerateResult& result, const Log& log) const {
  if (!drafter_) return;
  const double part = result.n_guessed == 0 ? 0 : 100.0 * result.n_accepted / result.n_guessed;
  log.line("main:       guesses = {} / {} were right ({:.1f} %)", result.n_accepted, result.n_guessed, part);
}

}  // namespace gptj::apps
