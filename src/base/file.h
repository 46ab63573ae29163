#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

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

/// Throws Error if `output` is one of `inputs`, by whatever name: nothing would be left of the original.
void expect_other_file(const std::string& output, const std::vector<std::string>& inputs);

/// A file that appears under its name only when it is complete: it is written beside its target and renamed
/// by commit(). Destroyed before that, it leaves nothing behind; killed before that, what unfinished.h says.
class OutputFile {
 public:
  /// `shown`: the path in messages, if that is another.
  explicit OutputFile(std::string path, std::string shown = {});
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(const void* data, size_t bytes);
  /// At any offset, whatever has been written elsewhere; may be called by many threads at once. What is never
  /// written is zeros. Not to be mixed with write().
  void write_at(uint64_t offset, const void* data, size_t bytes);
  void commit();

 private:
  std::string path_, shown_;
  std::string temporary_;
  std::FILE* file_;
};

/// A directory of files that appears under its name only when it is complete, as OutputFile does.
class OutputDirectory {
 public:
  /// Throws Error if `path` is there and anything but an empty directory.
  explicit OutputDirectory(const std::string& path);
  ~OutputDirectory();
  OutputDirectory(const OutputDirectory&) = delete;
  OutputDirectory& operator=(const OutputDirectory&) = delete;

  /// Where to write the file that will have this name in it.
  std::string file(const std::string& name) const { return temporary_ + "/" + name; }
  /// Where it will be then, which is what messages say.
  std::string shown(const std::string& name) const { return path_ + "/" + name; }
  void commit();

 private:
  std::string path_;
  std::string temporary_;
  int fd_;
};

/// Throws Error if the disk has no room for `bytes` bytes at `path`, a file or directory to be written; `shown`: the path
/// in messages, if that is another.
void check_room(const std::string& path, uint64_t bytes, const std::string& shown = {});

}  // namespace gptj
