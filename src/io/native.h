#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/model_file.h"

/// Our own model file (docs/formats.md): weights in panels, ready for use.
namespace gptj {

/// Like PNG's signature, it shows if a transfer has mangled line ends or the eighth bit.
inline constexpr std::string_view kNativeMagic("\x93gptj\r\n\x1a", 8);
inline constexpr uint32_t kNativeVersion = 1;

/// The file's first bytes. They are followed by `header_bytes` of JSON, `vocab_bytes` of tokens and merges, and a
/// checksum of 4 bytes for each of `n_tensors`.
struct NativeStart {
  char magic[8];
  uint32_t byte_order;
  uint32_t version;
  uint64_t header_bytes;
  uint64_t vocab_bytes;
  uint32_t n_tensors;
  uint32_t checksum;  // of everything before the data, except this field
};
static_assert(sizeof(NativeStart) == 40);

/// The checksum that `start` should have; `rest` is what lies between it and the data.
uint32_t native_checksum(const NativeStart& start, std::string_view rest);

/// Tensors begin at multiples of a page, so that a mapped file can be used in place.
inline constexpr uint64_t kNativeAlignment = 4096;
constexpr uint64_t native_aligned(uint64_t offset) {
  return (offset + kNativeAlignment - 1) / kNativeAlignment * kNativeAlignment;
}

/// Bytes of a tensor of shape [rows, n], in panels, or [n], in F32 and padded to a multiple of 16 values.
uint64_t native_bytes(DType dtype, const std::vector<int64_t>& shape);

/// Reads such a file. Throws Error.
ModelFile open_native(const std::string& path);

}  // namespace gptj
