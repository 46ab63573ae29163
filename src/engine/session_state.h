#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gptj/session.h"
#include "model/config.h"
#include "model/kv_sequences.h"

namespace gptj {

/// The parts of a session that a session file stores or depends on.
struct SessionState {
  const Config& config;
  const std::vector<std::span<const uint8_t>>& weights;  // of the model
  const SessionOptions& options;                         // with their defaults filled in
  KvSequences& kv;
};

}  // namespace gptj
