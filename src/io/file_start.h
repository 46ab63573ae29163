#pragma once

#include <cstdint>
#include <string>

namespace gptj {

/// What our own files have behind their magic: a number that shows the order of bytes, and the form's version.
inline constexpr uint32_t kByteOrder = 0x01020304;

/// Throws Error unless they are this machine's and the one version that this program knows.
void check_file_start(const std::string& path, uint32_t byte_order, uint32_t version, uint32_t known_version);

}  // namespace gptj
