#include "gptj/generate.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <optional>
#include <utility>

#include "base/file.h"
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
#include "options/sampling.h"
#include "options/session.h"
#include "options/speculation.h"
#include "program.h"
#include "terminal/console.h"

namespace gptj::apps {
namespace {

constexpr int kMaxInt = std::numeric_limits<int>::max();
constexpr float kMaxSeconds = 1e9F;
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
  float max_seconds = 0;
  int n_logprobs = -1;
  bool echo = false;
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
  line.number("--max-time", o.max_seconds, 0.0F, kMaxSeconds, "seconds to take at most (0: any)");
  line.flag("--context-shift", o.generate.shift,
            "when the context is full, forget the older half of it and go on");
  line.number("--keep", o.generate.n_keep, 0, kMany, "tokens from the beginning that are not forgotten then");
  line.number("--logprobs", o.n_logprobs, -1, kMany,
              "no text but JSON lines: each token, how likely it was, and the N likeliest (-1: the text); of "
              "several texts a list in each one's line");
  line.flag("--echo", o.echo, "those of the prompt, too");
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

/// Empty: go on where a session ends, if there is one.
std::string read_prompt(const Options& options) {
  if (options.batch.reads_file()) return "";
  const TextOptions& text = options.text;
  if (!text.prompt && !text.file && input_is_terminal()) {
    return options.saved.is_there() ? "" : random_prompt(options.sampling.sampler.seed);
  }
  std::string prompt = text.read(options.log.log());
  // The newline that ends a text file is seldom meant to be part of the prompt; ggml's examples drop it, too.
  if (!text.prompt && prompt.ends_with('\n')) prompt.pop_back();
  return prompt;
}

/// Tokens that may be added to a prompt of `n_prompt`; throws Error if it leaves no room for any.
int fitting_n_predict(const GenerateOptions& options, size_t n_prompt, int n_ctx, const Log& log) {
  const int wanted = options.n_predict;
  if (options.continues && options.shift) return wanted;
  if (n_prompt + static_cast<size_t>(wanted == 0 ? 0 : 1) > static_cast<size_t>(n_ctx)) {
    throw Error(
        fmt::format("the prompt is too long: expected at most {} tokens (the context of {} less one for the "
                    "answer), found {}",
                    n_ctx - 1, n_ctx, n_prompt));
  }
  if (wanted < 0 || options.shift) return wanted;
  const int fitting = std::min(wanted, n_ctx - static_cast<int>(n_prompt));
  if (fitting < wanted)
    log.line("main: n_predict = {} (not {}): more does not fit the context", fitting, wanted);
  return fitting;
}

/// Writes the text, or a line of JSON for each of its tokens.
GenerateResult write_text(const Model& model, Session& session, const std::string& prompt,
                          const std::vector<int>& ids, Options& options) {
  Sampler sampler(options.sampling.sampler, model.tokenizer(), model.info().n_vocab);
  TextWriter text(prompt.empty(), ids.size());
  const LogprobLines lines(model.tokenizer(), options.n_logprobs);
  const bool as_lines = options.n_logprobs >= 0;
  options.generate.prompt_logits = options.echo;
  GenerateCallbacks callbacks{.cancelled = [] { return stop_signal() != 0; }};
  if (as_lines) {
    callbacks.token = [&](int id, std::span<const float> logits) { write_out(lines.line(id, logits)); };
  } else {
    callbacks.text = [&](std::string_view bytes) { return text.show(bytes), true; };
  }
  GenerateResult result =
      generate(model, session, sampler, ids, options.generate, callbacks, options.speculation.drafter());
  if (!as_lines) text.finish();
  return result;
}

/// Fits the options to the model and the prompt. Throws Error.
void settle(Options& options, const OpenedModel& model, const std::string& prompt, size_t n_prompt,
            const Log& log) {
  const int n_ctx = options.session.n_ctx == 0 ? model.info().n_ctx : options.session.n_ctx;
  options.generate.n_predict = fitting_n_predict(options.generate, n_prompt, n_ctx, log);
  options.generate.max_seconds = static_cast<double>(options.max_seconds);
  if (options.session.prefix_lm) {  // read in one pass
    options.session.n_batch = std::max(options.session.n_batch, static_cast<int>(n_prompt));
  }
  options.generate.stop_at_eos = options.sampling.sampler.number("ignore-eos") == 0;
  Sampler(options.sampling.sampler, model.tokenizer(), model.info().n_vocab);  // or what is wrong with them
  if (options.beams.wanted()) {
    options.beams.prepare(model, n_prompt, options.generate, options.session);
  } else if (options.batch.wanted()) {
    options.batch.prepare(model, prompt, {{}, options.sampling.sampler, options.generate}, options.session);
  }
}

/// Writes what is wanted: a text, several of them, or the best of a search.
GenerateResult write(const Model& model, Session& session, const std::string& prompt,
                     const std::vector<int>& ids, Options& options, const Log& log) {
  if (options.beams.wanted()) return options.beams.write(model, session, prompt, ids, options.batch.json());
  if (options.batch.wanted()) return options.batch.write(model, session, options.n_logprobs, log);
  return write_text(model, session, prompt, ids, options);
}

/// A session that no prompt is given for goes on with its own text. A file of prompts has none here.
std::vector<int> prompt_ids(Options& options, const Tokenizer& tokenizer, const std::string& prompt) {
  if (options.batch.reads_file()) return {};
  if (!prompt.empty() || !options.saved.is_there()) return prompt_tokens(tokenizer, prompt);
  std::vector<int> ids = options.saved.take_text();
  options.generate.continues = options.saved.continues();
  return ids;
}

int generate_text(const Program& program, Options& options) {
  const Log log = options.log.log();
  const Stopwatch total;
  check_out();
  if (options.trace)
    OutputFile{*options.trace};  // what cannot be written should fail before the text is made
  options.sampling.settle_seed();
  options.generate.grammar = options.grammar.read();
  options.saved.open();
  const std::string prompt = read_prompt(options);

  const Stopwatch loading;
  const std::string isa = instruction_set();
  OpenedModel opened = options.model.open(program, log);
  options.speculation.open(opened);
  session_memory(opened.info(), options.session);  // tells what is wrong with them
  const std::vector<int> ids = prompt_ids(options, opened.tokenizer(), prompt);
  log.line("main: seed = {}", options.sampling.sampler.seed);
  settle(options, opened, prompt, ids.size(), log);  // before long work, as a prompt may be too long
  const SessionMemory memory = session_memory(opened.info(), options.session);
  const Model model = load_model(std::move(opened), options.session, options.memory, log);
  Session session(model, options.session);
  options.speculation.load(model, options.session, options.sampling.sampler, options.memory, log);
  options.saved.load(session, ids, log);
  const double load_ms = loading.ms();
  log.line("main: instruction set = {}, threads = {}", isa, session.n_threads());

  if (!options.batch.reads_file()) report_prompt(ids, model.tokenizer(), log);
  log.line("");
  std::optional<Trace> trace;
  if (options.trace) trace.emplace();
  const GenerateResult result = write(model, session, prompt, ids, options, log);
  if (trace) trace->write(*options.trace);

  log.line("\nmain: mem per token = {} bytes",  // scratch memory of each token in a pass over the prompt
           memory.scratch / static_cast<uint64_t>(session.n_batch()));
  report_end(result, options.generate, log);
  report_times(result, load_ms, log);
  options.speculation.report(result, log);
  if (session.n_sequences() == 1) {  // else they share what is read
    report_reading(result, model.info(), memory.kv_cache / static_cast<uint64_t>(session.n_ctx()), log);
  }
  options.saved.save(session, result, log);
  log.line("main:    total time = {:8.2f} ms", total.ms());
  return 0;
}

}  // namespace

int generate_command(const Program& program, const Command& command, std::vector<std::string> args) {
  CommandLine line(program, command);
  Options options;
  declare(line, options, program);
  if (!line.parse(std::move(args))) return 0;
  options.speculation.check(line);
  options.grammar.check(line);
  if (options.echo && options.n_logprobs < 0)
    throw UsageError("--echo: expected --logprobs with it, found none");
  if (line.given("--keep") && !options.generate.shift)
    throw UsageError("--keep: expected --context-shift with it, found none");
  options.saved.check(line);
  options.batch.check(line);
  options.beams.check(line, options.batch.n_parallel());
  for (const std::string_view several : {"--parallel", "--batch-file", "--beams", "--json"}) {
    for (const std::string_view one : {"--session", "--echo"}) line.at_most_one({several, one});
  }
  if (!options.version) return generate_text(program, options);
  write_out(fmt::format("{} {}\n", program.name, program.version));
  return 0;
}

}  // namespace gptj::apps
