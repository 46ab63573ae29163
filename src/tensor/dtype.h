#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace gptj {

/// How the numbers of a tensor are stored. The order is that of the list in formats.h.
enum class DType : uint8_t { f32, f16, bf16, q8_0, q4_0, q4_1, q5_0, q5_1, q8, q6, q5, q4 };
inline constexpr int kNumDTypes = 12;

/// What the rest of the program needs to know of a storage format; one for each DType.
struct DTypeInfo {
  DType dtype;
  const char* name;
  int block;           // consecutive values of a row that are stored together in a file
  size_t block_bytes;  // their bytes
  int panel_block;     // consecutive values of a row that are stored together in a panel: a multiple of block
  int ggml_type;       // the type of a tensor in a ggml file, -1: none
  int ggml_ftype;      // the type of a whole ggml file, -1: none
};

const DTypeInfo& info(DType dtype);
/// The format of that name ("q4_0") or of that number in ggml; nullopt: there is none.
std::optional<DType> dtype_by_name(std::string_view name);
std::optional<DType> dtype_from_ggml_type(int type);

/// Bytes of one row of `n` values as files store it; `n` is a multiple of the format's block.
size_t row_bytes(DType dtype, int64_t n);

/// Bytes of one panel: 16 rows of `n` values.
size_t panel_bytes(DType dtype, int64_t n);

}  // namespace gptj
