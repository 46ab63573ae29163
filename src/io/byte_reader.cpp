#include "io/byte_reader.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace gptj {

uint64_t ByteReader::number(size_t n_bytes, std::string_view what) {
  need(n_bytes, what);
  std::array<char, 8> bytes;
  read(bytes.data(), n_bytes);
  uint64_t value = 0;
  for (size_t i = n_bytes; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

std::string ByteReader::text(size_t bytes, std::string_view what) {
  need(bytes, what);
  std::string out(bytes, '\0');
  read(out.data(), bytes);
  return out;
}

void ByteReader::skip(uint64_t bytes, std::string_view what) {
  need(bytes, what);
  offset_ += bytes;
}

void ByteReader::need(uint64_t bytes, std::string_view what) const {
  if (bytes <= remaining()) return;
  fail("{}: truncated: {} at byte {}: expected {} bytes, found {} to the end of the file",
       quoted(file_.path()), what, offset_, bytes, remaining());
}

void ByteReader::read(char* out, size_t bytes) {
  while (bytes > 0) {
    if (offset_ >= buffer_end_) {  // it is never before the buffer's beginning: there is no way back
      const size_t refill = static_cast<size_t>(std::min<uint64_t>(buffer_.size(), remaining()));
      file_.read_at(offset_, buffer_.data(), refill);
      buffer_begin_ = offset_;
      buffer_end_ = offset_ + refill;
    }
    const auto at = static_cast<size_t>(offset_ - buffer_begin_);
    const size_t n = std::min(bytes, static_cast<size_t>(buffer_end_ - offset_));
    std::memcpy(out, buffer_.data() + at, n);
    out += n;
    offset_ += n;
    bytes -= n;
  }
}

}  // namespace gptj
