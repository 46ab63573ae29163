#include "io/checksum.h"

#include <zlib.h>

#include <cassert>

namespace gptj {

uint32_t crc32_of(std::string_view bytes, uint32_t before) {
  if (bytes.empty()) return before;  // zlib begins anew where there is no address
  return static_cast<uint32_t>(::crc32_z(before, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

void ChecksumOfParts::add(uint64_t offset, const void* data, size_t bytes) {
  const uint32_t checksum = crc32_of({static_cast<const char*>(data), bytes});
  const std::lock_guard lock(mutex_);
  parts_[offset] = {bytes, checksum};
}

uint32_t ChecksumOfParts::value() const {
  uLong all = 0;
  [[maybe_unused]] uint64_t end = 0;
  for (const auto& [offset, part] : parts_) {
    assert(offset == end);
    all = ::crc32_combine(all, part.checksum, static_cast<z_off_t>(part.bytes));
    end = offset + part.bytes;
  }
  return static_cast<uint32_t>(all);
}

}  // namespace gptj
