#include "gptj/convert.h"

#include <fmt/ranges.h>

#include "base/quoted.h"
#include "command_line.h"
#include "loading.h"
#include "model_path.h"
#include "options.h"
#include "program.h"

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
}

void declare_rest(CommandLine& line, Options& options) {
  line.text("--imatrix", options.importance, "FILE",
            "what 'imatrix' has measured: which columns matter how much");
  declare_threads(line, options.session);
  options.log.declare(line);
}

std::string form_help() {
  std::vector<std::string> names, endings;
  for (const WrittenForm& form : written_forms()) {
    names.push_back(fmt::format("{} ({})", form.name, form.description));
    if (form.name != names.front().substr(0, form.name.size())) {
      endings.push_back(
          fmt::format("{} for {}", form.extension.empty() ? "no extension" : form.extension, form.name));
    }
  }
  return fmt::format("what OUT will be: {} [default: as OUT's name says: {}, else {}]",
                     fmt::join(names, ", "), fmt::join(endings, ", "), written_forms().front().name);
}

/// "12.3 of 24.0 GB, 310 MB/s, 1:23 left"
std::string progress_note(uint64_t done, uint64_t total, double ms) {
  const double rate = static_cast<double>(done) / std::max(ms, 1.0) * 1e3;  // bytes per second
  const auto left = static_cast<int64_t>(static_cast<double>(total - done) / std::max(rate, 1.0));
  return fmt::format("{:.1f} of {:.1f} GB, {:.0f} MB/s, {}:{:02} left", static_cast<double>(done) * 1e-9,
                     static_cast<double>(total) * 1e-9, rate * 1e-6, left / 60, left % 60);
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
  const Stopwatch time;
  ConvertOptions to;
  to.type = options.type.value_or("");
  to.form = options.form.value_or("");
  to.importance = options.importance.value_or("");
  to.n_threads = options.session.n_threads;
  to.progress = [&](uint64_t done, uint64_t total) {
    progress.update(done, total, progress_note(done, total, time.ms()));
    return stop_signal() == 0;
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
  line.text("--to", options.form, "FORM", form_help());
  line.text("--type", options.type, "TYPE",
            fmt::format(fmt::runtime(kTypeHelp), fmt::join(weight_types(), ", ")) +
                " [default: weights stay as they are]");
  declare_rest(line, options);
  if (!line.parse(std::move(args))) return 0;
  if (!options.out) throw UsageError("expected two arguments, IN OUT, found fewer");
  return convert("convert", options);
}

int quantize_command(const Program& program, const Command& command, std::vector<std::string> args) {
  CommandLine line(program, command);
  Options options;
  declare_files(line, options);
  line.text("TYPE", options.type, "", fmt::format(fmt::runtime(kTypeHelp), fmt::join(weight_types(), ", ")));
  declare_rest(line, options);
  if (!line.parse(std::move(args))) return 0;
  if (!options.type) throw UsageError("expected three arguments, IN OUT TYPE, found fewer");
  return convert("quantize", options);
}

}  // namespace gptj::apps
