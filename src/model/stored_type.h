#pragma once

#include <string>
#include <vector>

#include "model/binder.h"

namespace gptj {

/// All types, the smallest first.
std::vector<DType> types_by_size();

/// Throws Error, with the list of them.
DType dtype_by_name(const std::string& name);

/// What a matrix is stored as when the model is to be of type `wanted`: that, but those outside of the layers keep at
/// least 8 bits, and rows that are no whole number of blocks become q8_0 or, if that does not fit either, F16.
DType stored_type(DType wanted, const MatrixBinding& matrix);

}  // namespace gptj
