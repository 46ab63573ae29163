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

/// The memory that the views of loaded weights point into.
struct Weights {
  std::unique_ptr<Arena> arena;                    // weights that were read
  std::vector<std::unique_ptr<Mapping>> mappings;  // files whose tensors are used in place
  uint64_t mapped_bytes = 0;                       // of these tensors
};

/// Bytes of all weights once they are loaded.
uint64_t loaded_bytes(const Binder& binder);

/// Fills every view that was bound: tensors that the file has in memory's own layout are used where they lie, the
/// others are read and packed into one block of memory, on all threads of the pool. The views are valid while the
/// result lives. Throws Error for damaged weights, if there is not enough memory, or if options.progress() stops it.
Weights load_weights(const Binder& binder, ThreadPool& pool, const LoadOptions& options);

}  // namespace gptj
