#pragma once

#include <cstdint>
#include <string>

namespace gptj {

/// Our own files have two numbers behind their magic: this one, which shows the order of bytes, and the form's version.
inline constexpr uint32_t kByteOrder = 0x01020304;

/// Throws Error unless the order of bytes is this machine's and the version is the one that this program knows.
void check_file_start(const std::string& path, uint32_t byte_order, uint32_t version, uint32_t known_version);

}  // namespace gptj
