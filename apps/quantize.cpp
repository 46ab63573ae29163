#include "gptj/quantize.h"

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
  std::optional<std::string> in, out, type, importance;
  SessionOptions session;
  LogOptions log;
};

void report(const QuantizeResult& result, const Options& options, const Stopwatch& time, const Log& log) {
  size_t n_other = 0;
  for (const QuantizedTensor& matrix : result.matrices) {
    n_other += matrix.by_length;
    if (!log.verbose()) continue;
    log.line("quantize: {:<28} {:<5} {:12} bytes, relative squared error {:.3e}", escaped(matrix.name),
             matrix.type, matrix.bytes, matrix.error);
  }
  if (n_other > 0) {
    log.line(
        "quantize: {} of {} matrices have rows that are no whole number of {} blocks: q8_0 or f16 instead",
        n_other, result.matrices.size(), *options.type);
  }
  log.line("quantize: wrote '{}' in {:.1f} s: {:.2f} MB of weights -> {:.2f} MB, {:.2f} bits per weight",
           escaped(*options.out), time.ms() / 1000, megabytes(result.bytes_before), megabytes(result.bytes),
           result.bits);
  log.line("quantize: relative mean squared error of the weights = {:.3e}", result.error);
}

}  // namespace

int quantize_command(const Program& program, const Command& command, std::vector<std::string> args) {
  CommandLine line(program, command);
  Options options;
  line.group("Files");
  line.text("IN", options.in, "", "a model of F32, F16 or BF16 weights, in any form that is read");
  line.text("OUT", options.out, "", "the file to write, our own form (name.gptj)");
  line.text(
      "TYPE", options.type, "",
      fmt::format("{}. Embeddings and head keep at least 8 bits; rows that are no whole number of blocks "
                  "become q8_0 or f16",
                  fmt::join(quantize_types(), ", ")));
  line.text("--imatrix", options.importance, "FILE",
            "what 'imatrix' has measured: which columns matter how much");
  declare_threads(line, options.session);
  options.log.declare(line);
  if (!line.parse(std::move(args))) return 0;
  if (!options.type) throw UsageError("expected three arguments, IN OUT TYPE, found fewer");

  const Log log = options.log.log();
  ProgressLine progress("quantize", log);
  const Stopwatch time;
  QuantizeOptions to;
  to.type = *options.type;
  to.importance = options.importance.value_or("");
  to.n_threads = options.session.n_threads;
  to.progress = [&](uint64_t done, uint64_t total) {
    progress.update(done, total,
                    fmt::format("{:.0f} of {:.0f} million weights", static_cast<double>(done) * 1e-6,
                                static_cast<double>(total) * 1e-6));
    return stop_signal() == 0;
  };
  const QuantizeResult result = quantize_model(model_path(*options.in), *options.out, to);
  progress.done();
  report(result, options, time, log);
  return 0;
}

}  // namespace gptj::apps
