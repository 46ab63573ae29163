#include "hub/partial_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "base/error.h"
#include "base/file.h"

namespace gptj {

PartialFile::PartialFile(std::string path, std::string shown, std::string_view etag, uint64_t size,
                         const std::function<void()>& check_stop)
    : path_(std::move(path)),
      shown_(std::move(shown)),
      etag_(etag),
      size_(size),
      digest_(Digest::of_etag(etag, size)) {
  fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
  if (fd_ < 0) fail_errno("cannot create", path_);
  try {
    hash_what_is_there(check_stop);
    check_room(path_, size_ - written_, shown_);
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

PartialFile::~PartialFile() {
  ::close(fd_);
}

void PartialFile::hash_what_is_there(const std::function<void()>& check_stop) {
  struct stat status {};
  if (::fstat(fd_, &status) != 0) fail_errno("cannot read", path_);
  if (!S_ISREG(status.st_mode)) fail("{}: expected a regular file, found something else", quoted(path_));
  if (static_cast<uint64_t>(status.st_size) > size_) {  // not a part of this file
    if (::ftruncate(fd_, 0) != 0) fail_errno("cannot write", shown_);
  }
  std::vector<char> piece(size_t{1} << 20);
  for (;;) {
    const ssize_t got = ::pread(fd_, piece.data(), piece.size(), static_cast<off_t>(written_));
    if (got == 0) return;
    if (got < 0 && errno != EINTR) fail_errno("cannot read", path_);
    if (got > 0 && digest_) digest_->add({piece.data(), static_cast<size_t>(got)});
    if (got > 0) written_ += static_cast<uint64_t>(got);
    check_stop();
  }
}

void PartialFile::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(written_));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail_errno("cannot write", shown_);
    if (digest_) digest_->add(bytes.substr(0, static_cast<size_t>(put)));
    written_ += static_cast<uint64_t>(put);
    bytes.remove_prefix(static_cast<size_t>(put));
  }
}

void PartialFile::complete(const std::string& target) {
  const std::string found = digest_ ? digest_->finish() : etag_;
  if (found != etag_) {
    ::unlink(path_.c_str());  // nobody knows which part of it is wrong
    fail(
        "{}: damaged on its way: expected the hash {}, found {}; what arrived has been removed, fetch it "
        "again",
        quoted(shown_), etag_, found);
  }
  if (::fsync(fd_) != 0) fail_errno("cannot write", shown_);
  if (::rename(path_.c_str(), target.c_str()) != 0) fail_errno("cannot create", target);
}

}  // namespace gptj
