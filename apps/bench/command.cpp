#include <fmt/ranges.h>

#include "bench/report.h"
#include "cli/command_line.h"
#include "gptj/convert.h"
#include "options/common.h"
#include "program.h"
#include "terminal/console.h"

namespace gptj::apps {
namespace {

constexpr int kMaxRepeats = 1000;

struct Options {
  ModelOption model;
  std::optional<std::string> shape, type;
  SessionOptions session;
  int repeats = 5;
  bool quick = false;
  bool json = false, csv = false;
  LogOptions log;
};

}  // namespace

int bench_command(const Program& program, const Command& command, std::vector<std::string> args) {
  CommandLine line(program, command);
  Options options;
  options.model.declare(line, program);
  line.text("--shape", options.shape, "SHAPE",
            fmt::format("no file, but weights made up in the shape of {}; gptj-6b:4 has only 4 layers",
                        fmt::join(synthetic_shapes(), ", ")));
  line.word(
      "--type", options.type, "TYPE", weight_types(),
      fmt::format(
          "type of made-up weights, f16 if none is given; else what those of the file become while they "
          "load: {}",
          fmt::join(weight_types(), ", ")));
  declare_session(line, options.session);
  line.group("Measuring");
  line.number("--repeat", options.repeats, 1, kMaxRepeats, "times that everything is measured");
  line.flag("--quick", options.quick, "short prompts and few tokens: to see that it works");
  line.group("Output");
  line.flag("--json", options.json, "print one JSON object");
  line.flag("--csv", options.csv, "print comma-separated values");
  options.log.declare_quiet(line);
  if (!line.parse(std::move(args))) return 0;

  line.at_most_one({"--model", "--shape"});
  line.at_most_one({"--json", "--csv"});
  check_out();
  const Log log = options.log.log();
  BenchModel model;
  if (options.shape) {
    model.synthetic = {*options.shape, options.type.value_or("f16")};
  } else {
    model.path = options.model.resolve(program, log);
    model.type = options.type.value_or("");
  }
  const BenchPlan plan = options.quick ? BenchPlan::quick(options.repeats) : BenchPlan::full(options.repeats);
  const BenchReport report = run_bench(model, options.session, plan, log);
  write_out(options.json ? bench_json(report) : options.csv ? bench_csv(report) : bench_table(report));
  return 0;
}

}  // namespace gptj::apps
