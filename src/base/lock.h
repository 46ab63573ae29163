#pragma once

#include <functional>
#include <string>

namespace gptj {

/// A lock between processes: an flock() on a file, held while the object lives, as huggingface_hub takes it. Where a
/// file system has no locks, it locks nothing.
class FileLock {
 public:
  /// Creates the file if need be, and waits for the lock. Meanwhile `while_waiting` is called again and again; it may
  /// throw.
  FileLock(const std::string& path, const std::function<void()>& while_waiting);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int fd_ = -1;
};

/// The open file still has this path: nobody removed or replaced it, as may happen between opening and locking.
bool is_still_there(int fd, const std::string& path);

}  // namespace gptj
