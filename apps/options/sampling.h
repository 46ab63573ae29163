#pragma once

#include <cstdint>

#include "cli/command_line.h"
#include "gptj/sampler.h"

namespace gptj::apps {

/// The group "Sampling" of a command line: the seed, and whatever sampler_settings() lists.
struct SamplingOptions {
  SamplerOptions sampler;
  int64_t seed = -1;

  void declare(CommandLine& line);
  /// Once the line is parsed: gives the sampler its seed, by the clock if none was given.
  void settle_seed();
};

}  // namespace gptj::apps
