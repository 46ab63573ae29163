#pragma once

#include <string>

#include "io/model_file.h"

namespace gptj {

/// A model without a file, for measuring speed: the shape of a known one, all matrices of one type, meaningless
/// weights. `shape` is a name such as "gptj-6b", or "gptj-6b:4" for one with 4 layers; rows that are no whole number
/// of the type's blocks become F16. Its tensors have no file, and load_weights() makes them up. Throws Error for
/// unknown names.
ModelFile synthetic_model(const std::string& shape, const std::string& type);

}  // namespace gptj
