#include "options/common.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <limits>

#include "base/quoted.h"
#include "gptj/convert.h"
#include "gptj/error.h"
#include "options/model_path.h"
#include "terminal/text_input.h"

namespace gptj::apps {
namespace {

constexpr int kMaxThreads = 1024;
constexpr int kMaxBatch = 1 << 16;
constexpr int kDefaultWindow = 512;

}  // namespace

void ModelOption::declare(CommandLine& line, const Program& program) {
  line.group("Model");
  line.text(
      "-m,--model", path, "MODEL",
      fmt::format(
          "model file or directory, or the name of one that was fetched, ORG/NAME[@REVISION] [default: {}, "
          "else the demo model]",
          program.default_model));
}

std::string ModelOption::resolve(const Program& program, const Log& log) const {
  if (path) return model_path(*path);
  const auto exists = [](const std::string& name) {
    std::error_code ignored;
    return std::filesystem::exists(name, ignored);
  };
  if (exists(program.default_model)) return program.default_model;
  for (const std::string& root : program.data_roots) {
    std::string demo = (std::filesystem::path(root) / program.demo_model).lexically_normal().string();
    if (!exists(demo)) continue;
    log.line("main: no model '{}' here and none named with -m: using the demo model '{}'",
             program.default_model, escaped(demo));
    return demo;
  }
  throw Error(fmt::format("cannot find a model: expected '{}' or '{}', found neither; name one with -m",
                          program.default_model, program.demo_model));
}

void ModelOption::declare_type(CommandLine& line) {
  line.word("--type", type, "TYPE", weight_types(),
            fmt::format("quantize weights while they load: {} [default: as they are]",
                        fmt::join(weight_types(), ", ")));
}

OpenedModel ModelOption::open(const Program& program, const Log& log) const {
  OpenedModel opened(resolve(program, log));
  if (type && opened.store_as(*type)) {
    const std::string name = escaped(opened.info().path);
    log.line(
        "main: weights become {} while they load; once '{} convert {} NAME.gptj --type {}' would start "
        "faster",
        *type, program.name, name, *type);
  }
  return opened;
}

void TextOptions::declare(CommandLine& line) {
  line.group("Text");
  line.text("-p,--prompt", prompt, "TEXT", "the text itself");
  line.text("-f,--file", file, "FILE", "a file with the text [default: -, standard input]");
}

std::string TextOptions::read(const Log& log) const {
  if (prompt) return *prompt;
  tell_if_typed(file, log);
  return file ? read_file(*file) : read_standard_input();
}

void declare_threads(CommandLine& line, SessionOptions& session) {
  line.group("Running");
  line.number("-t,--threads", session.n_threads, 0, kMaxThreads, "threads (0: one per physical core)");
}

void declare_speed(CommandLine& line, SessionOptions& session) {
  declare_threads(line, session);
  line.flag("--pin", session.pinned,
            "keep each thread on a core of its own: for machines with nothing else to do");
  line.number("-b,--batch-size,--batch_size", session.n_batch, 1, kMaxBatch,
              "prompt tokens in one pass: changes speed and memory, never the result");
}

void declare_session(CommandLine& line, SessionOptions& session) {
  declare_speed(line, session);
  line.choice("--kv-type", session.kv_type, {std::begin(kKvTypeNames), std::end(kKvTypeNames)},
              "how keys and values of past tokens are stored");
  line.flag("--exact", session.exact, "compute with F32 activations throughout: slower, exact");
}

void declare_prefix_lm(CommandLine& line, SessionOptions& session) {
  line.flag("--prefix-lm", session.prefix_lm,
            "let the words of the prompt see those that follow them, too: for GPT-JT");
}

void declare_context(CommandLine& line, SessionOptions& session, std::string_view help) {
  line.number("-c,--ctx-size,--ctx_size,--context,--ctx", session.n_ctx, 0, std::numeric_limits<int>::max(),
              help);
}

void declare_window(CommandLine& line, SessionOptions& session) {
  declare_context(
      line, session,
      fmt::format("tokens of a window (0: {}, or the model's context where that is less)", kDefaultWindow));
}

void resolve_window(SessionOptions& session, const ModelInfo& model) {
  if (session.n_ctx == 0) session.n_ctx = std::min(kDefaultWindow, model.n_ctx);
}

void MemoryOptions::declare(CommandLine& line) {
  line.group("Memory");
  line.flag("--prefetch", prefetch,
            "read our own file whole before starting, not when parts are first needed; others always are");
  line.flag("--lock", lock, "keep the weights in memory whatever else needs it (mlock); implies --prefetch");
  line.flag("--no-mmap", no_mmap,
            "copy the weights of our own file into memory instead of using them where they lie");
}

void LogOptions::declare_quiet(CommandLine& line) {
  line.group("General");
  line.flag("-q,--quiet", quiet, "say nothing but errors");
}

void LogOptions::declare(CommandLine& line) {
  declare_quiet(line);
  line.flag("-v,--verbose", verbose, "say more");
}

Log LogOptions::log() const {
  if (quiet) return Log(Log::Level::quiet);
  return Log(verbose ? Log::Level::verbose : Log::Level::normal);
}

}  // namespace gptj::apps
