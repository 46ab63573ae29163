#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/model_file.h"

/// Our own model file (docs/formats.md): weights in panels, ready for use.
namespace gptj {

/// As PNG's signature: whatever mangles line ends or the eighth bit is noticed.
inline constexpr std::string_view kNativeMagic("\x93gptj\r\n\x1a", 8);
inline constexpr uint32_t kNativeByteOrder = 0x01020304;
inline constexpr uint32_t kNativeVersion = 1;
inline constexpr uint64_t kNativeHeaderAt = 24;  // after magic, byte order, version and the header's length

/// Where tensors begin: a page, so that a mapped file can be used in place.
inline constexpr uint64_t kNativeAlignment = 4096;
constexpr uint64_t native_aligned(uint64_t offset) {
  return (offset + kNativeAlignment - 1) / kNativeAlignment * kNativeAlignment;
}

/// Bytes of a tensor of shape [rows, n], in panels, or [n], in F32 and padded to whole registers.
uint64_t native_bytes(DType dtype, const std::vector<int64_t>& shape);

ModelFile open_native(const std::string& path);

}  // namespace gptj
