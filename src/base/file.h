#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

namespace gptj {

/// A regular file opened for reading at any offset. Reading is thread-safe: there is no file position.
class InputFile {
 public:
  /// Throws Error if `path` is missing, unreadable or not a regular file.
  explicit InputFile(std::string path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& path() const { return path_; }
  uint64_t size() const { return size_; }
  int descriptor() const { return fd_; }

  /// Fills `bytes` bytes at `out` from `offset`; throws Error if the file ends first or cannot be read.
  void read_at(uint64_t offset, void* out, size_t bytes) const;

 private:
  std::string path_;
  int fd_;
  uint64_t size_;
};

/// The whole of a small text file; throws Error above `limit` bytes.
std::string read_text_file(const std::string& path, uint64_t limit);

/// A file that appears under its name only when it is complete: it is written beside its target and renamed
/// by commit(). Destroyed before that, it leaves nothing behind.
class OutputFile {
 public:
  explicit OutputFile(std::string path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(const void* data, size_t bytes);
  /// At any offset, whatever has been written elsewhere; may be called by many threads at once. What is never
  /// written is zeros. Not to be mixed with write().
  void write_at(uint64_t offset, const void* data, size_t bytes);
  void commit();

 private:
  std::string path_;
  std::string temporary_;
  std::FILE* file_;
};

}  // namespace gptj
