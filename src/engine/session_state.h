#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gptj/session.h"
#include "model/config.h"
#include "model/kv_sequences.h"

namespace gptj {

/// What of a session goes to a file and comes from it.
struct SessionState {
  const Config& config;
  const std::vector<std::span<const uint8_t>>& weights;  // of the model
  const SessionOptions& options;                         // with their defaults filled in
  KvSequences& kv;
};

}  // namespace gptj
