#include "io/file_start.h"

#include "base/error.h"

namespace gptj {

void check_file_start(const std::string& path, uint32_t byte_order, uint32_t version,
                      uint32_t known_version) {
  if (byte_order != kByteOrder) {
    fail("{}: byte order: expected {:#010x}, found {:#010x}: made on a machine with the other byte order?",
         quoted(path), kByteOrder, byte_order);
  }
  if (version != known_version) {
    fail("{}: version: expected {}, the one that this program knows, found {}{}", quoted(path), known_version,
         version, version > known_version ? ": made by a newer program" : "");
  }
}

}  // namespace gptj
