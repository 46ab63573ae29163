#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "io/output_forms.h"
#include "model/binder.h"
#include "model/config.h"

namespace gptj {

/// A matrix or a vector on its way from one file to another.
struct PlannedMatrix {
  const MatrixBinding* from;
  OutputTensor to;
  bool transposed;  // it will lie as [n, rows]
};
struct PlannedVector {
  const VectorBinding* from;
  OutputTensor to;
};

/// Everything of a model that a form will get, and how.
struct OutputPlan {
  std::vector<PlannedMatrix> matrices;
  std::vector<PlannedVector> vectors;

  /// `wanted` is the matrices' type; nothing: as they are. Throws Error if the form cannot store a type.
  OutputPlan(const OutputForm& form, const ModelFile& file, const Config& config, const Binder& binder,
             std::optional<DType> wanted);

  /// The matrices, then the vectors.
  std::vector<OutputTensor> tensors() const;
};

/// The file's config with every key that Config has, so that writers need not know what a missing one means.
nlohmann::json complete_config(const ModelFile& file, const Config& config, const Binder& binder);

}  // namespace gptj
