#include "generate/batch.h"

#include <algorithm>
#include <utility>

#include "generate/logprobs.h"
#include "generate/text_results.h"
#include "options/ids.h"
#include "terminal/console.h"
#include "terminal/waiting.h"

namespace gptj::apps {
namespace {

constexpr int kMaxParallel = 1024;
constexpr int kTextsOfFile = 8;  // at once: more gain little, and each takes memory

TextResult result_of(const TextRequest& request, const BatchResult& result, const std::string& logprobs) {
  const GenerateResult& details = result.details;
  return {.id = request.id,
          .prompt = request.prompt,
          .error = result.error,
          .text = result.text,
          .tokens = std::span(details.tokens).last(static_cast<size_t>(details.n_generated)),
          .reason = details.reason,
          .n_prompt = details.n_prompt,
          .seed = request.text.sampling.seed,
          .logprobs = logprobs};
}

void add(GenerateResult& sum, const GenerateResult& result) {
  sum.n_prompt += result.n_prompt;
  sum.n_reused += result.n_reused;
  sum.n_generated += result.n_generated;
  sum.n_evaluated += result.n_evaluated;
  sum.prompt_ms += result.prompt_ms;
  sum.generate_ms += result.generate_ms;
  sum.sample_ms += result.sample_ms;
}

}  // namespace

void BatchOptions::declare(CommandLine& line) {
  line.group("Several texts at once");
  line.number("--np,--parallel", n_parallel_, 1, kMaxParallel,
              "answers (also -np N), with seeds S, S+1, ...; with --beams the best of these; with "
              "--batch-file texts in one pass (8)");
  line.text(
      "--batch-file", file_, "FILE",
      R"(write an answer to each line (-: of standard input): a prompt, or JSON like {"prompt": TEXT, "seed": 1})");
  line.flag("--json", json_, "write each text as a line of JSON");
}

void BatchOptions::check(const CommandLine& line) {
  line.at_most_one({"--batch-file", "--prompt", "--file"});
  for (const std::string_view several : {"--parallel", "--batch-file", "--json"}) {
    for (const std::string_view one : {"--draft", "--lookup"}) line.at_most_one({several, one});
  }
}

void BatchOptions::prepare(const OpenedModel& model, const std::string& prompt, const BatchText& defaults,
                           SessionOptions& session) {
  if (file_) {
    requests_ = read_batch_file(*file_, defaults);
  } else {
    requests_.assign(static_cast<size_t>(n_parallel_), {.prompt = prompt, .text = defaults});
    for (size_t i = 0; i < requests_.size(); ++i) requests_[i].text.sampling.seed += i;
  }
  const int limit = session.n_ctx == 0 ? model.info().n_ctx : session.n_ctx;
  const int at_once = file_ && n_parallel_ == 1 ? kTextsOfFile : n_parallel_;
  session.n_sequences = std::min(at_once, static_cast<int>(std::min<size_t>(requests_.size(), kMaxParallel)));
  session.n_ctx = 1;
  for (TextRequest& request : requests_) {
    request.text.prompt = prompt_tokens(model.tokenizer(), request.prompt);
    const int n_prompt =
        static_cast<int>(std::min<size_t>(request.text.prompt.size(), static_cast<size_t>(limit)));
    const GenerateOptions& options = request.text.options;
    const bool all = options.n_predict < 0 || options.shift || options.n_predict > limit - n_prompt;
    session.n_ctx = std::max(session.n_ctx, all ? limit : n_prompt + options.n_predict);
    if (session.prefix_lm) session.n_batch = std::max(session.n_batch, n_prompt);  // read in one pass
  }
}

GenerateResult BatchOptions::write(const Model& model, Session& session, int n_logprobs,
                                   const Log& log) const {
  std::vector<BatchText> texts;
  for (const TextRequest& request : requests_) texts.push_back(request.text);
  log.line("main: {} texts, {} at once, context = {} tokens", texts.size(), session.n_sequences(),
           session.n_ctx());
  GenerateResult sum;
  size_t n_failed = 0;
  const LogprobLines logprobs(model.tokenizer(), n_logprobs);
  std::vector<std::string> logprobs_of(texts.size());  // until a text has ended
  Waiting waiting(log);
  BatchCallbacks callbacks;
  callbacks.cancelled = [&] { return waiting.stop_asked(); };
  if (n_logprobs >= 0) {
    callbacks.token = [&](size_t index, int id, std::span<const float> logits) {
      logprobs_of[index] += (logprobs_of[index].empty() ? "" : ",") + logprobs.line(id, logits);
    };
  }
  callbacks.done = [&](size_t index, const BatchResult& result) {
    const TextResult text = result_of(requests_[index], result, std::exchange(logprobs_of[index], {}));
    waiting.make_way();
    write_out(json_ || file_ || n_logprobs >= 0 ? json_line(text)
                                                : plain_text(text, index, texts.size() > 1));
    add(sum, result.details);
    if (!result.error.empty()) ++n_failed;
  };
  generate_batch(model, session, texts, callbacks);
  if (n_failed > 0) {
    throw Error(fmt::format("{} of {} texts could not be made: see \"error\" in their lines", n_failed,
                            texts.size()));
  }
  return sum;
}

}  // namespace gptj::apps
