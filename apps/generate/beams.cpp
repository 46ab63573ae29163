#include "generate/beams.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "generate/text_results.h"
#include "terminal/console.h"
#include "terminal/waiting.h"

namespace gptj::apps {
namespace {

constexpr int kMaxBeams = 1024;
constexpr double kMaxPenalty = 100;

/// Options beside those of sampling that a search does not follow.
constexpr std::string_view kOthers[] = {"--draft",       "--lookup",        "--batch-file", "--stop",
                                        "--max-time",    "--context-shift", "--grammar",    "--grammar-file",
                                        "--json-schema", "--regex",         "--logprobs"};

}  // namespace

void BeamSearchOptions::declare(CommandLine& line) {
  line.group("Beam search, for the likeliest text instead of one that is drawn");
  line.number("--beams", options_.n_beams, 1, kMaxBeams, "texts that are followed (1: no search)");
  line.number("--length-penalty", options_.length_penalty, -kMaxPenalty, kMaxPenalty,
              "divide a text's log probability by its length to this power: above 0 for longer texts");
  line.choice("--early-stopping", options_.early_stopping,
              {std::begin(kEarlyStoppingNames), std::end(kEarlyStoppingNames)},
              "stop when as many texts have ended as are followed; never: only when none can get better");
}

void BeamSearchOptions::check(const CommandLine& line, int n_best) {
  if (!wanted()) {
    for (const std::string_view name : {"--length-penalty", "--early-stopping"}) {
      if (line.given(name)) throw UsageError(fmt::format("{}: expected --beams beside it, found none", name));
    }
    return;
  }
  for (const std::string_view other : kOthers) line.at_most_one({"--beams", other});
  for (const SamplerSetting& setting : sampler_settings()) {
    const std::string name = "--" + setting.name;
    if (setting.name != "ignore-eos") line.at_most_one({"--beams", name});
  }
  if (n_best > options_.n_beams) {
    throw UsageError(fmt::format("--parallel: expected at most {}, as many as --beams, found {}",
                                 options_.n_beams, n_best));
  }
  options_.n_best = n_best;
}

void BeamSearchOptions::prepare(const OpenedModel& model, size_t n_prompt, const GenerateOptions& generate,
                                SessionOptions& session) {
  const int eos = model.tokenizer().eos().value_or(-1);
  (generate.stop_at_eos ? options_.end_token : options_.banned_token) = eos;
  options_.n_predict = generate.n_predict;
  session.n_sequences = options_.n_beams;
  if (generate.n_predict >= 0) session.n_ctx = static_cast<int>(n_prompt) + generate.n_predict;
}

GenerateResult BeamSearchOptions::write(const Model& model, Session& session, const std::string& prompt,
                                        const std::vector<int>& ids, bool json, const Log& log) const {
  Waiting waiting(log);
  const BeamResult found = search_beams(model, session, ids, options_, [&] { return waiting.stop_asked(); });
  waiting.make_way();
  for (size_t i = 0; i < found.beams.size(); ++i) {
    const Beam& beam = found.beams[i];
    std::span<const int> shown = beam.tokens;
    if (beam.reason == StopReason::end_of_text) shown = shown.first(shown.size() - 1);
    const TextResult text{.prompt = prompt,
                          .text = model.tokenizer().decode(shown),
                          .tokens = beam.tokens,
                          .reason = beam.reason,
                          .n_prompt = static_cast<int>(ids.size()),
                          .score = beam.score};
    write_out(json ? json_line(text) : plain_text(text, i, options_.n_best > 1));
  }
  GenerateResult result;
  result.n_prompt = static_cast<int>(ids.size());
  result.prompt_ms = found.prompt_ms;
  result.generate_ms = found.generate_ms;
  result.n_evaluated = found.n_evaluated;
  return result;
}

}  // namespace gptj::apps
