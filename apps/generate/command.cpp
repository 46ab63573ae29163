#include "gptj/generate.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <optional>
#include <utility>

#include "cli/command_line.h"
#include "generate/batch.h"
#include "generate/beams.h"
#include "generate/logprobs.h"
#include "generate/report.h"
#include "generate/text_writer.h"
#include "gptj/trace.h"
#include "options/common.h"
#include "options/grammar.h"
#include "options/ids.h"
#include "options/loading.h"
#include "options/output.h"
#include "options/sampling.h"
#include "options/session.h"
#include "options/speculation.h"
#include "program.h"
#include "terminal/console.h"

namespace gptj::apps {
namespace {

constexpr int kMaxInt = std::numeric_limits<int>::max();
constexpr int kMany = 1'000'000;  // more tokens than any vocabulary or context has

struct Options {
  ModelOption model;
  TextOptions text;
  GenerateOptions generate;
  GrammarOption grammar;
  SamplingOptions sampling;
  Speculation speculation;
  SessionOption saved;
  BatchOptions batch;
  BeamSearchOptions beams;
  SessionOptions session;
  MemoryOptions memory;
  LogOptions log;
  std::optional<std::string> trace;
  int n_logprobs = -1;
  bool interactive = false;  // then another command is run
  bool version = false;
};

void declare(CommandLine& line, Options& o, const Program& program) {
  o.model.declare(line, program);
  o.model.declare_type(line);
  o.text.declare(line);
  line.number("-n,--n_predict,--n-predict", o.generate.n_predict, -1, kMaxInt,
              "tokens to add at most (-1: until the context is full)");
  line.texts("--stop", o.generate.stop, "TEXT",
             "end where this text would follow, without it; may be repeated");
  line.number("--max-time", o.generate.max_seconds, 0.0, kMaxSeconds,
              "seconds to take at most (0: no limit)");
  line.flag("--context-shift", o.generate.shift,
            "when the context is full, forget the older half of it and go on");
  line.number("--keep", o.generate.n_keep, 0, kMany, "tokens from the beginning that are not forgotten then");
  line.number("--logprobs", o.n_logprobs, -1, kMany,
              "no text but JSON lines: each token, how likely it was, and the N likeliest (-1: the text); of "
              "several texts a list in each one's line");
  line.flag("--echo", o.generate.prompt_logits, "those of the prompt, too");
  o.grammar.declare(line);
  o.sampling.declare(line);
  o.speculation.declare(line);
  o.saved.declare(
      line,
      "keep evaluated tokens in this file, and use what it has of the prompt; without a prompt, go "
      "on where it ends");
  o.batch.declare(line);
  o.beams.declare(line);
  declare_session(line, o.session);
  declare_prefix_lm(line, o.session);
  declare_context(line, o.session);
  o.memory.declare(line);
  o.log.declare(line);
  line.text("--trace", o.trace, "FILE",
            "write what each thread did when, for chrome://tracing or ui.perfetto.dev");
  line.flag("-i,--interactive", o.interactive, "talk with the model: the same as the command 'chat'");
  line.flag("--version", o.version, "show the version and exit");
}

/// A word to begin with when the user has none: those of ggml's examples.
std::string random_prompt(uint64_t seed) {
  constexpr const char* kPrompts[] = {"So", "Once upon a time", "When", "The", "After",
                                      "If", "import",           "He",   "She", "They"};
  return kPrompts[seed % std::size(kPrompts)];
}

/// The text to continue; empty: where a session ends, if there is one.
std::string read_prompt(const Options& options) {
  const TextOptions& text = options.text;
  if (!text.prompt && !text.file && input_is_terminal()) {
    return options.saved.is_there() ? "" : random_prompt(options.sampling.sampler.seed);
  }
  std::string prompt = text.read(options.log.log());
  // The newline that ends a text file is seldom meant to be part of the prompt; ggml's examples drop it, too.
  if (!text.prompt && prompt.ends_with('\n')) prompt.pop_back();
  return prompt;
}

/// Opens the model. Throws Error also for options that do not suit it: before long work.
OpenedModel open(const Program& program, const Options& options, const Log& log) {
  instruction_set();  // or what is wrong with GPTJ_ISA
  OpenedModel model = options.model.open(program, log);
  if (options.trace) {
    check_output(*options.trace, model.info(),
                 options.batch.file() ? options.batch.file() : options.text.file);
  }
  session_memory(model.info(), options.session);
  Sampler(options.sampling.sampler, model.tokenizer(), model.info().n_vocab);
  log.line("main: seed = {}", options.sampling.sampler.seed);
  return model;
}

/// Fits the options to a prompt of `n_prompt` tokens. Throws Error if it leaves no room for any.
void fit(Options& options, const OpenedModel& model, size_t n_prompt, const Log& log) {
  if (options.session.prefix_lm) {  // read in one pass
    options.session.n_batch = std::max(options.session.n_batch, static_cast<int>(n_prompt));
  }
  GenerateOptions& generate = options.generate;
  if (generate.continues && generate.shift) return;
  const int n_ctx = options.session.n_ctx == 0 ? model.info().n_ctx : options.session.n_ctx;
  if (n_prompt + static_cast<size_t>(generate.n_predict == 0 ? 0 : 1) > static_cast<size_t>(n_ctx)) {
    throw Error(
        fmt::format("the prompt is too long: expected at most {} tokens (the context of {} less one for the "
                    "answer), found {}",
                    n_ctx - 1, n_ctx, n_prompt));
  }
  const int fitting = n_ctx - static_cast<int>(n_prompt);
  if (generate.n_predict <= fitting || generate.shift) return;
  log.line("main: n_predict = {} (not {}): more does not fit the context", fitting, generate.n_predict);
  generate.n_predict = fitting;
}

/// A model at work for one command line, with the reports that are the same whatever it writes.
class Work {
 public:
  Work(OpenedModel opened, const Options& options, const Log& log)
      : options_(options),
        log_(log),
        memory_(session_memory(opened.info(), options.session)),
        model_(load_model(std::move(opened), options.session, options.memory, log)),
        session_(model_, options.session) {}

  const Model& model() const { return model_; }
  Session& session() { return session_; }

  /// When all is loaded. `ids` are the prompt's, if there is one.
  void report_loaded(const Stopwatch& loading, const std::optional<std::vector<int>>& ids) {
    load_ms_ = loading.ms();
    log_.line("main: instruction set = {}, threads = {}", instruction_set(), session_.n_threads());
    if (ids) report_prompt(*ids, model_.tokenizer(), log_);
    log_.line("");
  }

  /// Calls write(), which makes a GenerateResult.
  GenerateResult run(const auto& write) {
    std::optional<Trace> trace;
    if (options_.trace) trace.emplace();
    GenerateResult result = write();
    if (trace) trace->write(*options_.trace);
    report(result);
    return result;
  }

 private:
  void report(const GenerateResult& result) const {
    log_.line("\nmain: mem per token = {} bytes",  // scratch memory of each token in a pass over the prompt
              memory_.scratch / static_cast<uint64_t>(session_.n_batch()));
    report_end(result, options_.generate, log_);
    report_times(result, load_ms_, log_);
    if (session_.n_sequences() == 1) {  // else they share what is read
      report_reading(result, model_.info(), memory_.kv_cache / static_cast<uint64_t>(session_.n_ctx()), log_);
    }
  }

  const Options& options_;
  const Log& log_;
  const SessionMemory memory_;
  const Model model_;
  Session session_;
  double load_ms_ = 0;
};

/// Writes a text as it is made, or a line of JSON for each of its tokens.
GenerateResult stream(Work& work, const std::string& prompt, const std::vector<int>& ids, Options& options) {
  const Tokenizer& tokenizer = work.model().tokenizer();
  Sampler sampler(options.sampling.sampler, tokenizer, work.model().info().n_vocab);
  TextWriter text(prompt.empty(), ids.size());
  const LogprobLines lines(tokenizer, options.n_logprobs);
  const bool as_lines = options.n_logprobs >= 0;
  GenerateCallbacks callbacks{.cancelled = stop_asked};
  if (as_lines) {
    callbacks.token = [&](int id, std::span<const float> logits) { write_out(lines.line(id, logits)); };
  } else {
    callbacks.text = [&](std::string_view bytes) { return text.show(bytes), true; };
  }
  GenerateResult result = generate(work.model(), work.session(), sampler, ids, options.generate, callbacks,
                                   options.speculation.drafter());
  if (!as_lines) text.finish();
  return result;
}

/// Without a prompt, the text that was saved goes on.
std::vector<int> prompt_ids(Options& options, const Tokenizer& tokenizer, const std::string& prompt) {
  if (!prompt.empty() || !options.saved.is_there()) return prompt_tokens(tokenizer, prompt);
  std::vector<int> ids = options.saved.take_text();
  options.generate.continues = options.saved.continues();
  return ids;
}

void write_text(const Program& program, Options& options, const Log& log) {
  options.saved.open();
  const std::string prompt = read_prompt(options);
  const Stopwatch loading;
  OpenedModel opened = open(program, options, log);
  options.speculation.open(opened);
  if (options.trace) options.speculation.check_output(*options.trace);
  const std::vector<int> ids = prompt_ids(options, opened.tokenizer(), prompt);
  fit(options, opened, ids.size(), log);

  Work work(std::move(opened), options, log);
  options.speculation.load(work.model(), options.session, options.sampling.sampler, options.memory, log);
  options.saved.load(work.session(), ids, log);
  work.report_loaded(loading, ids);
  const GenerateResult result = work.run([&] { return stream(work, prompt, ids, options); });
  options.speculation.report(result, log);
  options.saved.save(work.session(), result, log);
}

void write_best_of_search(const Program& program, Options& options, const Log& log) {
  const std::string prompt = read_prompt(options);
  const Stopwatch loading;
  OpenedModel opened = open(program, options, log);
  const std::vector<int> ids = prompt_tokens(opened.tokenizer(), prompt);
  fit(options, opened, ids.size(), log);
  options.beams.prepare(opened, ids.size(), options.generate, options.session);

  Work work(std::move(opened), options, log);
  work.report_loaded(loading, ids);
  work.run([&] {
    return options.beams.write(work.model(), work.session(), prompt, ids, options.batch.json(), log);
  });
}

/// Answers to one prompt, or one to each of a file's.
void write_several(const Program& program, Options& options, const Log& log) {
  const bool one_prompt = !options.batch.file();
  const std::string prompt = one_prompt ? read_prompt(options) : "";
  const Stopwatch loading;
  OpenedModel opened = open(program, options, log);
  std::optional<std::vector<int>> ids;
  if (one_prompt) ids = prompt_tokens(opened.tokenizer(), prompt);
  fit(options, opened, ids ? ids->size() : 0, log);
  options.batch.prepare(opened, prompt, {{}, options.sampling.sampler, options.generate}, options.session);

  Work work(std::move(opened), options, log);
  work.report_loaded(loading, ids);
  work.run([&] { return options.batch.write(work.model(), work.session(), options.n_logprobs, log); });
}

void generate_texts(const Program& program, Options& options) {
  const Log log = options.log.log();
  const Stopwatch total;
  check_out();
  options.sampling.settle_seed();
  options.generate.grammar = options.grammar.read();
  options.generate.stop_at_eos = options.sampling.sampler.number("ignore-eos") == 0;
  if (options.beams.wanted()) {
    write_best_of_search(program, options, log);
  } else if (options.batch.wanted()) {
    write_several(program, options, log);
  } else {
    write_text(program, options, log);
  }
  log.line("main:    total time = {:8.2f} ms", total.ms());
}

}  // namespace

int generate_command(const Program& program, const Command& command, std::vector<std::string> args) {
  CommandLine line(program, command);
  Options options;
  declare(line, options, program);
  if (!line.parse(std::move(args))) return 0;
  options.speculation.check(line);
  options.grammar.check(line);
  if (options.generate.prompt_logits && options.n_logprobs < 0)
    throw UsageError("--echo: expected --logprobs with it, found none");
  if (line.given("--keep") && !options.generate.shift)
    throw UsageError("--keep: expected --context-shift with it, found none");
  line.different_paths({"--trace", "--session"});
  options.saved.check(line);
  options.batch.check(line);
  options.beams.check(line, options.batch.n_parallel());
  for (const std::string_view several : {"--parallel", "--batch-file", "--beams", "--json"}) {
    for (const std::string_view one : {"--session", "--echo"}) line.at_most_one({several, one});
  }
  if (options.version) {
    write_out(fmt::format("{} {}\n", program.name, program.version));
  } else {
    generate_texts(program, options);
  }
  return 0;
}

}  // namespace gptj::apps
