#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string_view>

namespace gptj {

/// CRC-32 as in zip, PNG and gzip; of bytes that follow others, whose CRC-32 is `before`, that of all.
uint32_t crc32_of(std::string_view bytes, uint32_t before = 0);

/// The CRC-32 of bytes that come in parts, in any order and from many threads.
class ChecksumOfParts {
 public:
  /// Adds the bytes from `offset` on. Parts must not overlap.
  void add(uint64_t offset, const void* data, size_t bytes);

  /// Of all parts together, which must leave no gaps from byte 0 on.
  uint32_t value() const;

 private:
  struct Part {
    size_t bytes;
    uint32_t checksum;
  };

  std::mutex mutex_;
  std::map<uint64_t, Part> parts_;  // by offset
};

}  // namespace gptj
