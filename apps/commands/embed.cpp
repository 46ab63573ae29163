#include "gptj/embed.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/quoted.h"
#include "cli/command_line.h"
#include "gptj/npy.h"
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
  bool lines = false;
  Pooling pooling = Pooling::mean;
  std::optional<std::string> output;
  SessionOptions session;
  MemoryOptions memory;
  LogOptions log;
};

/// The lines of a text, or all of it as one.
std::vector<std::string_view> texts_of(std::string_view text, bool lines) {
  if (!lines) return {text};
  std::vector<std::string_view> texts;
  while (!text.empty()) {
    texts.push_back(text.substr(0, text.find('\n')));
    text.remove_prefix(std::min(text.size(), texts.back().size() + 1));
    if (texts.back().ends_with('\r')) texts.back().remove_suffix(1);
  }
  return texts;
}

/// The tokens of each text. Throws Error for one that has none or more than n_ctx: before any is evaluated.
std::vector<std::vector<int>> encoded(const std::vector<std::string_view>& texts, const OpenedModel& model) {
  if (texts.empty()) throw Error("expected at least one text, found none");
  const auto n_ctx = static_cast<size_t>(model.info().n_ctx);
  std::vector<std::vector<int>> all;
  for (const std::string_view text : texts) {
    all.push_back(model.tokenizer().encode(text));
    const size_t n = all.back().size();
    if (n >= 1 && n <= n_ctx) continue;
    throw Error(
        fmt::format("text {}: expected 1 to {} tokens, the model's context, found {}", all.size(), n_ctx, n));
  }
  return all;
}

size_t longest(const std::vector<std::vector<int>>& texts) {
  size_t n = 0;
  for (const std::vector<int>& ids : texts) n = std::max(n, ids.size());
  return n;
}

void declare(CommandLine& line, Options& options, const Program& program) {
  options.model.declare(line, program);
  options.model.declare_type(line);
  options.text.declare(line);
  line.flag("--lines", options.lines, "each line is a text of its own, with its own row");
  line.group("Output");
  line.text("-o,--output", options.output, "FILE", "the .npy file: float32, shape (texts or tokens, n_embd)");
  line.choice("--pooling", options.pooling, {std::begin(kPoolingNames), std::end(kPoolingNames)},
              "a text's row: the mean of its tokens' or the last one's; none: a row for each token");
  declare_session(line, options.session);
  options.memory.declare(line);
  options.log.declare(line);
}

void check(const CommandLine& line, const Options& options) {
  line.at_most_one({"--prompt", "--file"});
  if (!options.output) throw UsageError("-o: expected a file to write to, found none");
  if (options.lines && options.pooling == Pooling::none) {
    throw UsageError(
        "--pooling: expected mean or last with --lines, found none: rows of tokens do not tell their text");
  }
}

void write_embeddings(const Program& program, Options& options) {
  const Log log = options.log.log();
  const std::string text = options.text.read(log);
  OpenedModel opened = options.model.open(program, log);
  check_output(*options.output, opened.info(), options.text.file);
  const std::vector<std::vector<int>> texts = encoded(texts_of(text, options.lines), opened);
  options.session.n_ctx = static_cast<int>(longest(texts));
  const size_t n_rows = options.pooling == Pooling::none ? texts.front().size() : texts.size();
  NpyWriter file(*options.output, static_cast<int64_t>(n_rows), opened.info().n_embd);
  const Model model = load_model(std::move(opened), options.session, options.memory, log);
  Session session(model, options.session);
  ProgressLine progress("embed", log);
  for (size_t i = 0; i < texts.size(); ++i) {
    stop_if_asked();
    embed(session, texts[i], options.pooling, [&](std::span<const float> row) { file.row(row); });
    progress.update(i + 1, texts.size(), fmt::format("text {} of {}", i + 1, texts.size()));
  }
  file.finish();
  progress.done();
  log.line("embed: wrote '{}': {} rows, {} values each", escaped(*options.output), n_rows,
           model.info().n_embd);
}

}  // namespace

int embed_command(const Program& program, const Command& command, std::vector<std::string> args) {
  CommandLine line(program, command);
  Options options;
  declare(line, options, program);
  if (!line.parse(std::move(args))) return 0;
  check(line, options);
  write_embeddings(program, options);
  return 0;
}

}  // namespace gptj::apps
