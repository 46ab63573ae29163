#pragma once

#include "gptj/model.h"
#include "gptj/session.h"
#include "options/common.h"
#include "terminal/log.h"

namespace gptj::apps {

/// Loads the weights with the report that users know from ggml's examples. `session` says what will be opened
/// on the model, for the figures of memory. Throws Error, also when a signal asks to stop.
Model load_model(OpenedModel opened, const SessionOptions& session, const MemoryOptions& in_memory,
                 const Log& log);

/// Bytes in MB of 1024 * 1024, as the reports have them.
double megabytes(uint64_t bytes);

}  // namespace gptj::apps
