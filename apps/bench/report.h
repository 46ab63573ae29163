#pragma once

#include <string>

#include "bench/measure.h"

/// The forms in which measurements are shown.
namespace gptj::apps {

std::string bench_table(const BenchReport& report);

/// One object on one line.
std::string bench_json(const BenchReport& report);

/// A line of names, then one for each roof, measurement and figure of memory; what does not apply is empty.
std::string bench_csv(const BenchReport& report);

}  // namespace gptj::apps
