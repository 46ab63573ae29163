#pragma once

#include <cstdint>
#include <string>

#include "base/file.h"

namespace gptj {

/// A whole file as memory: read-only, and one copy for all processes that map it. It is read when it is touched: a disk
/// that fails then, or a file that was cut off meanwhile, ends the process with SIGBUS. Of which file that was,
/// mapped_file() tells a handler.
class Mapping {
 public:
  /// Throws Error if the file is not (or no longer) as long as `file` says, or cannot be mapped.
  explicit Mapping(const InputFile& file);
  ~Mapping();
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  const std::string& quoted_path() const { return quoted_path_; }
  const uint8_t* data() const { return data_; }
  uint64_t size() const { return size_; }

  /// Waits until bytes [begin, end) are in memory and in this process's page tables; `begin` is a multiple of a page.
  /// May be called by many threads at once. Throws Error if they cannot be read.
  void read_in(uint64_t begin, uint64_t end) const;

  /// Keeps in memory what is there or gets there later. Throws Error.
  void lock() const;

 private:
  std::string quoted_path_;
  uint8_t* data_;
  uint64_t size_;
};

}  // namespace gptj
