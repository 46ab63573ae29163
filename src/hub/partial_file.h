#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "hub/digest.h"

namespace gptj {

/// A file that arrives from its beginning on, perhaps in several runs. At any moment it is a beginning of the
/// complete file, so its size says where to go on.
class PartialFile {
 public:
  /// Opens or creates `path`. What is there already is hashed; meanwhile `check_stop` is called, which may throw.
  /// Throws Error if the disk has no room for what is missing. `shown`: the path in messages.
  PartialFile(std::string path, std::string shown, std::string_view etag, uint64_t size,
              const std::function<void()>& check_stop);
  ~PartialFile();
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  uint64_t size() const { return size_; }  // when it is complete
  uint64_t written() const { return written_; }

  void append(std::string_view bytes);

  /// To be called when all has been written: checks the hash and renames the file to `target`. A file with another
  /// hash is removed, and an Error.
  void complete(const std::string& target);

 private:
  void hash_what_is_there(const std::function<void()>& check_stop);

  std::string path_, shown_;
  std::string etag_;
  uint64_t size_;
  uint64_t written_ = 0;
  std::unique_ptr<Digest> digest_;  // null: the ETag is no hash
  int fd_ = -1;
};

}  // namespace gptj
