#pragma once

#include <functional>
#include <string>

namespace gptj {

/// A lock between processes, on a file and for as long as the object lives, as huggingface_hub takes it.
class FileLock {
 public:
  /// Waits for it. `while_waiting` is called again and again meanwhile, and may throw.
  FileLock(const std::string& path, const std::function<void()>& while_waiting);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int fd_ = -1;
};

}  // namespace gptj
