#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/file.h"

namespace gptj {

/// Reads small fields of a file from front to back. What is skipped is not read from the disk, so the fields between
/// a file's tensors cost one small read each, however large the tensors.
///
/// Each function throws Error if fewer bytes are left than it needs, before it allocates anything. `what` names the
/// field in that message.
class ByteReader {
 public:
  explicit ByteReader(const InputFile& file) : file_(file) {}

  const InputFile& file() const { return file_; }
  const std::string& path() const { return file_.path(); }
  uint64_t offset() const { return offset_; }
  uint64_t remaining() const { return file_.size() - offset_; }

  /// Numbers are little-endian, as in all model files; `n_bytes` is at most 8.
  uint64_t number(size_t n_bytes, std::string_view what);
  uint16_t u16(std::string_view what) { return static_cast<uint16_t>(number(2, what)); }
  uint32_t u32(std::string_view what) { return static_cast<uint32_t>(number(4, what)); }
  uint64_t u64(std::string_view what) { return number(8, what); }
  int32_t i32(std::string_view what) { return static_cast<int32_t>(u32(what)); }
  std::string text(size_t bytes, std::string_view what);
  void skip(uint64_t bytes, std::string_view what);

 private:
  void need(uint64_t bytes, std::string_view what) const;
  void read(char* out, size_t bytes);

  const InputFile& file_;
  uint64_t offset_ = 0;
  std::array<char, 8192> buffer_{};  // the file's bytes from buffer_begin_ to buffer_end_
  uint64_t buffer_begin_ = 0;
  uint64_t buffer_end_ = 0;
};

}  // namespace gptj
