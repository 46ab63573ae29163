#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tensor/dtype.h"
#include "tensor/encoding.h"

namespace gptj {

/// The type of a whole ggml file, as its header gives it: quantization version x 1000 + type. Files made before 14 May
/// 2023 have no version, which is version 0; F32 and F16 never have one.
struct GgmlFtype {
  int version;
  int type;

  bool is_quantized() const { return type > 1; }
};

/// Throws Error, naming `path`, if no file has such a type, or one that is newer than this program.
GgmlFtype parse_ggml_ftype(int32_t ftype, const std::string& path);

/// What a tensor's rows are stored in and become.
struct GgmlType {
  DType dtype;
  const Encoding* encoding;  // nullptr: as they are

  int block() const { return encoding != nullptr ? encoding->block : info(dtype).block; }
  size_t row_bytes(int64_t n) const {
    return encoding != nullptr ? encoding->row_bytes(n) : gptj::row_bytes(dtype, n);
  }
  const char* name() const { return encoding != nullptr ? encoding->name : info(dtype).name; }
};

/// The type of a file whose matrices are all of `dtype`, in today's version. ggml must know it.
int32_t ggml_ftype(DType dtype);

/// What a tensor's type means in a file of that type; nullopt: nothing.
std::optional<GgmlType> ggml_type(const GgmlFtype& file, int32_t type);

}  // namespace gptj
