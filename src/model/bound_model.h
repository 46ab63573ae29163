#pragma once

#include <memory>

#include "model/architecture.h"

namespace gptj {

/// A model file whose tensors are tied to the weights of its architecture: everything is checked but the weights.
struct BoundModel {
  /// Throws Error if they do not fit each other, also for more tokens than the embedding has rows: ids that the model
  /// cannot take. Fewer are padding.
  explicit BoundModel(ModelFile from);
  BoundModel(const BoundModel&) = delete;
  BoundModel& operator=(const BoundModel&) = delete;

  ModelFile file;
  Binder binder;
  std::unique_ptr<Architecture> architecture;
};

}  // namespace gptj
