#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/dtype.h"

namespace gptj {

/// A way in which files store numbers but no kernel computes, and the storage format that its rows become when they are
/// read.
struct Encoding {
  const char* name;  // as ggml names it: "q4_K"
  int block;         // consecutive values of a row that are stored together
  size_t block_bytes;
  DType dtype;  // what rows become
  /// Converts `n` values, whole blocks, to a row of `dtype`. False: a value is NaN or infinite, which is how a scale
  /// that is not finite shows.
  bool (*decode)(const uint8_t* in, int64_t n, uint8_t* out);
  /// The same to a row of F32, for values that are to become another type and need not be rounded to `dtype` first.
  /// nullptr: `dtype` does not round.
  bool (*decode_f32)(const uint8_t* in, int64_t n, uint8_t* out) = nullptr;
  int ggml_type = -1;  // the type of a tensor in ggml and GGUF files

  /// Bytes of one row of `n` values in the file.
  size_t row_bytes(int64_t n) const { return static_cast<size_t>(n / block) * block_bytes; }
};

/// The type of a tensor in a file: what its rows become when they are read, and how the file stores them.
struct TensorType {
  DType dtype;
  const Encoding* encoding = nullptr;  // nullptr: as they are

  int block() const { return encoding != nullptr ? encoding->block : info(dtype).block; }
  const char* name() const { return encoding != nullptr ? encoding->name : info(dtype).name; }
  size_t row_bytes(int64_t n) const {
    return encoding != nullptr ? encoding->row_bytes(n) : gptj::row_bytes(dtype, n);
  }
};

}  // namespace gptj
