#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace gptj {

inline constexpr std::string_view kZipMagic("PK\x03\x04", 4);

/// A file in a zip archive, stored uncompressed: its bytes lie in one piece in the archive.
struct ZipEntry {
  std::string name;
  uint64_t offset;
  uint64_t bytes;
};

/// The directory of a zip archive, also of one above 4 GB (zip64). libzip does not tell where an entry's bytes lie,
/// and weights are read in place. Throws Error for anything that torch does not write: compressed or encrypted
/// entries, two of one name, entries that overlap, bytes behind the archive's end.
std::vector<ZipEntry> read_zip_directory(const InputFile& file);

}  // namespace gptj
