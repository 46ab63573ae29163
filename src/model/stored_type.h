#pragma once

#include <string>
#include <vector>

#include "model/binder.h"

namespace gptj {

/// All types, the smallest first.
std::vector<DType> types_by_size();

/// The type that an option names. Throws Error, which lists all of them, if there is none.
DType parse_dtype(const std::string& name);

/// What a matrix is stored as when the model is to be of type `wanted`: that type, but matrices outside of the layers
/// keep at least 8 bits, and rows that are no whole number of blocks become q8_0 or, if that does not fit either,
/// F16.
DType stored_type(DType wanted, const MatrixBinding& matrix);

}  // namespace gptj
