#include "gptj/convert.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "base/quoted.h"
#include "cli/command_line.h"
#include "options/common.h"
#include "options/loading.h"
#include "options/model_path.h"
#include "program.h"
#include "terminal/rate.h"

namespace gptj::apps {
namespace {

struct Options {
  std::optional<std::string> in, out, type, form, importance;
  SessionOptions session;
  LogOptions log;
};

constexpr std::string_view kTypeHelp =
    "{}. Embeddings and head keep at least 8 bits; rows that are no whole number of blocks become q8_0 or "
    "f16";

void declare_files(CommandLine& line, Options& options) {
  line.group("Files");
  line.text("IN", options.in, "", "a model in any form that is read");
  line.text("OUT", options.out, "", "the file or directory to write");
  line.require("IN");
  line.require("OUT");
}

void declare_rest(CommandLine& line, Options& options) {
  line.text("--imatrix", options.importance, "FILE",
            "what 'imatrix' has measured: which columns matter how much");
  declare_threads(line, options.session);
  options.log.declare(line);
}

void declare_form(CommandLine& line, Options& options) {
  const std::vector<WrittenForm> forms = written_forms();
  std::vector<std::string> words, names, endings;
  for (const WrittenForm& form : forms) {
    words.push_back(form.name);
    names.push_back(fmt::format("{} ({})", form.name, form.description));
    endings.push_back(
        fmt::format("{} for {}", form.extension.empty() ? "no extension" : form.extension, form.name));
  }
  endings.front() = fmt::format("else {}", forms.front().name);
  std::rotate(endings.begin(), endings.begin() + 1, endings.end());
  line.word("--to", options.form, "FORM", words,
            fmt::format("what OUT will be: {} [default: as OUT's name says: {}]", fmt::join(names, ", "),
                        fmt::join(endings, ", ")));
}

void report(const std::string& me, const ConvertResult& result, const Options& options, double ms,
            const Log& log) {
  size_t n_other = 0;
  for (const ConvertedMatrix& matrix : result.matrices) {
    n_other += matrix.by_length;
    if (!log.verbose()) continue;
    log.line("{}: {:<28} {:<5} {:12} bytes, relative squared error {:.3e}", me, escaped(matrix.name),
             matrix.type, matrix.bytes, matrix.error);
  }
  if (n_other > 0) {
    log.line("{}: {} of {} matrices have rows that are no whole number of {} blocks: q8_0 or f16 instead", me,
             n_other, result.matrices.size(), *options.type);
  }
  for (const std::string& warning : result.warnings) log.line("{}: warning: {}", me, warning);
  log.line("{}: wrote '{}', {}, in {:.1f} s: {:.2f} MB of weights -> {:.2f} MB, {:.2f} bits per weight", me,
           escaped(*options.out), result.form, ms / 1000, megabytes(result.bytes_before),
           megabytes(result.bytes), result.bits);
  if (result.error > 0) log.line("{}: relative mean squared error of the weights = {:.3e}", me, result.error);
}

int convert(const std::string& me, const Options& options) {
  const Log log = options.log.log();
  ProgressLine progress(me, log);
  TransferNote note;
  const Stopwatch time;
  ConvertOptions to;
  to.type = options.type.value_or("");
  to.form = options.form.value_or("");
  to.importance = options.importance.value_or("");
  to.n_threads = options.session.n_threads;
  to.progress = [&](uint64_t done, uint64_t total) {
    progress.update(done, total, note.update(done, total));
    return !stop_asked();
  };
  const ConvertResult result = convert_model(model_path(*options.in), *options.out, to);
  progress.done();
  report(me, result, options, time.ms(), log);
  return 0;
}

}  // namespace

int convert_command(const Program& program, const Command& command, std::vector<std::string> args) {
  CommandLine line(program, command);
  Options options;
  declare_files(line, options);
  declare_form(line, options);
  line.word("--type", options.type, "TYPE", weight_types(),
            fmt::format(fmt::runtime(kTypeHelp), fmt::join(weight_types(), ", ")) +
                " [default: weights stay as they are]");
  declare_rest(line, options);
  if (!line.parse(std::move(args))) return 0;
  return convert("convert", options);
}

int quantize_command(const Program& program, const Command& command, std::vector<std::string> args) {
  CommandLine line(program, command);
  Options options;
  declare_files(line, options);
  line.word("TYPE", options.type, "", weight_types(),
            fmt::format(fmt::runtime(kTypeHelp), fmt::join(weight_types(), ", ")));
  line.require("TYPE");
  declare_rest(line, options);
  if (!line.parse(std::move(args))) return 0;
  return convert("quantize", options);
}

}  // namespace gptj::apps
