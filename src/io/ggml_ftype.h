#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tensor/encoding.h"

namespace gptj {

inline constexpr int32_t kGgmlVersionFactor = 1000;

/// The type of a whole ggml file, as its header gives it: quantization version x 1000 + type. Files made before 14 May
/// 2023 have no version, which is version 0; F32 and F16 never have one.
struct GgmlFtype {
  int version;
  int type;

  bool is_quantized() const { return type > 1; }
};

/// Throws Error, naming `path`, if no file has such a type, or one that is newer than this program.
GgmlFtype parse_ggml_ftype(int32_t ftype, const std::string& path);

/// The number for a file whose matrices are all of `dtype`, in today's version. ggml must know the type.
int32_t ggml_ftype(DType dtype);

/// What a tensor's type means in such a file; nullopt: nothing.
std::optional<TensorType> ggml_type(const GgmlFtype& file, int32_t type);

}  // namespace gptj
