#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gptj/bench.h"
#include "terminal/log.h"

namespace gptj::apps {

/// What is measured how often.
struct BenchPlan {
  std::vector<int> prompts;   // lengths, ascending
  std::vector<int> contexts;  // tokens before decoding: 0, or a length that is also in `prompts`
  std::vector<int> passes;    // tokens evaluated together; the others are compared with the first, which is 1
  std::vector<int> texts;     // decoded together, ascending; as with passes
  int texts_context;          // tokens before decoding in each of them
  int decoded;                // tokens of one sample of decoding
  int repeats;

  static BenchPlan full(int repeats);
  static BenchPlan quick(int repeats);
};

/// One number, measured several times.
struct Samples {
  std::vector<double> values;

  double median() const;
  double min() const;
  double max() const;
};

/// Something that was timed.
struct BenchRow {
  std::string name;
  std::string unit;  // what `ms` is the time of: "token", "pass", "load"
  Samples ms = {};
  double tokens = 0;  // in a unit; 0: it is not about tokens
  double work = 0;    // of a unit: bytes or operations, as `roof` counts them
  std::optional<Roof> roof = {};
  std::vector<double> roofs = {};  // per second, measured before and after each of `ms`
  std::string beside = {};         // name of the row that this one is compared with; empty: none
};

struct BenchReport {
  ModelInfo model;
  SessionOptions session;
  int n_threads = 0;
  int repeats = 0;
  Samples roofs[kNumRoofs];  // per second, before everything and beside each row
  std::vector<BenchRow> rows;
  SessionMemory memory{};
  uint64_t peak_memory = 0;
  double allocations_per_token = 0;
};

/// Which model is measured: a file, or one without.
struct BenchModel {
  std::string path;  // empty: synthetic
  std::string type;  // that the file's weights are loaded in; empty: as they are
  SyntheticModel synthetic;
};

/// Measures everything. Lengths that do not fit the model's context are left out. Throws Error, also when a
/// signal asks to stop.
BenchReport run_bench(const BenchModel& model, const SessionOptions& session, const BenchPlan& plan,
                      const Log& log);

}  // namespace gptj::apps
