#pragma once

#include "tensor/formats.h"

namespace gptj {

/// Calls visit(Format{}) for the format of `dtype`.
template <typename Visit, class... Format>
void with_format(DType dtype, FormatList<Format...>, const Visit& visit) {
  ((Format::kInfo.dtype == dtype ? visit(Format{}) : void()), ...);
}
template <typename Visit>
void with_format(DType dtype, const Visit& visit) {
  with_format(dtype, Formats{}, visit);
}

}  // namespace gptj
