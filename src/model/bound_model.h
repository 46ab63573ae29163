#pragma once

#include <memory>

#include "model/architecture.h"

namespace gptj {

/// A model file whose tensors are bound to the weights of its architecture: everything but the weights is checked.
struct BoundModel {
  /// Throws Error if file and architecture do not fit, or if the vocabulary has more tokens than the embedding has
  /// rows. (It may have fewer: then the other rows are padding.)
  explicit BoundModel(ModelFile from);
  BoundModel(const BoundModel&) = delete;
  BoundModel& operator=(const BoundModel&) = delete;

  ModelFile file;
  Binder binder;
  std::unique_ptr<Architecture> architecture;
};

}  // namespace gptj
