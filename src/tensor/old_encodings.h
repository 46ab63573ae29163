#pragma once

#include "tensor/encoding.h"

namespace gptj {

/// How ggml stored blocks of one of its types before quantization version 2. nullptr: as today, or there was no such
/// type.
///
/// Version 0 (until 14 May 2023) put neighbours into one byte, version 1 (until 20 May 2023) and 2 the values j and
/// j + 16. Until version 1 q4_0, q4_1 and q8_0 had scales in F32; they are rounded to F16 (a relative error of 2^-11 at
/// most), and the rest stays as it is. Only version 0 had q4_2 and q4_3, with blocks of 16 values, which become F16.
const Encoding* old_encoding_of_ggml_type(int version, int type);

}  // namespace gptj
