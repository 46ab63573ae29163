#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/dtype.h"

namespace gptj {

/// A form of numbers that files have and kernels do not compute with: what its rows become when they are read.
struct Encoding {
  const char* name;  // as ggml names it: "q4_K"
  int block;         // consecutive values of a row that are stored together
  size_t block_bytes;
  DType dtype;  // what rows become
  /// `n` values, whole blocks, to a row of `dtype`. False: a value is NaN or infinite, as all of a block are whose scale is.
  bool (*decode)(const uint8_t* in, int64_t n, uint8_t* out);
  /// The same to a row of F32, where `dtype` rounds: for what is to become another type. nullptr: it does not.
  bool (*decode_f32)(const uint8_t* in, int64_t n, uint8_t* out) = nullptr;
  int ggml_type = -1;  // the type of a tensor in ggml and GGUF files

  /// Bytes of one row of `n` values in the file.
  size_t row_bytes(int64_t n) const { return static_cast<size_t>(n / block) * block_bytes; }
};

/// What the rows of a file's tensor become when they are read, and what they are stored in.
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
