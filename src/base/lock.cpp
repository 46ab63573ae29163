#include "base/lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "base/error.h"

namespace gptj {
namespace {

constexpr mode_t kForTheGroupToo = 0664;  // all who share a cache must be able to wait for its locks
constexpr std::chrono::milliseconds kWait{100};

int open_lock(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kForTheGroupToo);
  if (fd < 0) fail_errno("cannot create the lock", path);
  return fd;
}

}  // namespace

FileLock::FileLock(const std::string& path, const std::function<void()>& while_waiting) {
  for (;;) {
    fd_ = open_lock(path);
    const int failed = ::flock(fd_, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
    if (failed == 0 && is_still_there(fd_, path)) return;
    if (failed == ENOLCK || failed == ENOTSUP || failed == ENOSYS) return;  // a file system that has none
    ::close(fd_);
    fd_ = -1;
    if (failed == 0) continue;
    while_waiting();
    std::this_thread::sleep_for(kWait);
  }
}

FileLock::~FileLock() {
  if (fd_ >= 0) ::close(fd_);
}

bool is_still_there(int fd, const std::string& path) {
  struct stat opened {
  }, named{};
  return ::fstat(fd, &opened) == 0 && ::stat(path.c_str(), &named) == 0 && opened.st_dev == named.st_dev &&
         opened.st_ino == named.st_ino;
}

}  // namespace gptj
