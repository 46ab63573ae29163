#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/arena.h"
#include "base/mapping.h"
#include "base/thread_pool.h"
#include "gptj/model.h"
#include "model/binder.h"

namespace gptj {

/// What the views of loaded weights look at.
struct Weights {
  std::unique_ptr<Arena> arena;                    // what was packed
  std::vector<std::unique_ptr<Mapping>> mappings;  // files whose tensors are used in place
  uint64_t mapped_bytes = 0;                       // of these tensors
};

/// Bytes of all weights once they are loaded.
uint64_t loaded_bytes(const Binder& binder);

/// Fills every view that was bound: what the file has as memory has it is used where it lies, the rest is read and packed
/// into one block of memory, on all threads of the pool. The views are valid while the result lives. Throws Error:
/// damaged weights, not enough memory, options.progress() said no.
Weights load_weights(const Binder& binder, ThreadPool& pool, const LoadOptions& options);

}  // namespace gptj
