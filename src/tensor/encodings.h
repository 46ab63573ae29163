#pragma once

#include <span>

#include "tensor/encoding.h"

namespace gptj {

/// THE list of encodings that ggml has a number for, in the order of these numbers: the k-types and the two of IQ4.
std::span<const Encoding> ggml_encodings();

/// nullptr: none of that number.
const Encoding* encoding_of_ggml_type(int type);

}  // namespace gptj
