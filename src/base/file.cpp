#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "base/error.h"
#include "base/unfinished.h"

namespace gptj {

InputFile::InputFile(std::string path) : path_(std::move(path)), fd_(-1), size_(0) {
  // O_NONBLOCK: opening a FIFO must fail with a message below, not wait for a writer.
  fd_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd_ < 0) fail_errno("cannot open", path_);
  struct stat status {};
  const bool known = ::fstat(fd_, &status) == 0;
  if (!known || !S_ISREG(status.st_mode)) {
    ::close(fd_);
    fail("cannot read {}: expected a regular file, found {}", quoted(path_),
         known && S_ISDIR(status.st_mode) ? "a directory" : "something else");
  }
  size_ = static_cast<uint64_t>(status.st_size);
}

InputFile::~InputFile() {
  ::close(fd_);
}

void InputFile::read_at(uint64_t offset, void* out, size_t bytes) const {
  auto* to = static_cast<char*>(out);
  while (bytes > 0) {
    const ssize_t got = ::pread(fd_, to, bytes, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_errno("cannot read", path_);
    if (got == 0) {
      fail("{}: truncated: expected {} more bytes at offset {}, found the end of the file", quoted(path_),
           bytes, offset);
    }
    to += got;
    offset += static_cast<uint64_t>(got);
    bytes -= static_cast<size_t>(got);
  }
}

std::string read_text_file(const std::string& path, uint64_t limit) {
  const InputFile file(path);
  if (file.size() > limit) {
    fail("{}: expected at most {} bytes, found {}", quoted(path), limit, file.size());
  }
  std::string text(file.size(), '\0');
  file.read_at(0, text.data(), text.size());
  return text;
}

void expect_other_file(const std::string& output, const std::vector<std::string>& inputs) {
  for (const std::string& input : inputs) {
    std::error_code not_there;
    if (!std::filesystem::equivalent(input, output, not_there)) continue;
    fail(
        "{}: expected another name for what is written than for what is read: nothing would be left of the "
        "original",
        quoted(output));
  }
}

OutputFile::OutputFile(std::string path, std::string shown)
    : path_(std::move(path)), shown_(shown.empty() ? path_ : std::move(shown)), file_(nullptr) {
  struct stat status {};
  if (::stat(path_.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {  // else rename() replaces a device
    fail("cannot write {}: expected a regular file or none, found something else", quoted(shown_));
  }
  const Unfinished unfinished = create_unfinished_file(path_, shown_);
  temporary_ = unfinished.path;
  file_ = ::fdopen(unfinished.fd, "wb");
  if (file_ == nullptr) {
    const int code = errno;
    ::close(unfinished.fd);
    ::unlink(temporary_.c_str());
    errno = code;
    fail_errno("cannot write", shown_);
  }
}

OutputFile::~OutputFile() {
  if (file_ == nullptr) return;
  std::fclose(file_);
  ::unlink(temporary_.c_str());
}

void OutputFile::write(const void* data, size_t bytes) {
  if (bytes == 0) return;  // nothing may begin nowhere, which fwrite() does not take
  if (std::fwrite(data, 1, bytes, file_) != bytes) fail_errno("cannot write", shown_);
}

void OutputFile::write_at(uint64_t offset, const void* data, size_t bytes) {
  const auto* from = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t put = ::pwrite(::fileno(file_), from, bytes, static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail_errno("cannot write", shown_);
    from += put;
    offset += static_cast<uint64_t>(put);
    bytes -= static_cast<size_t>(put);
  }
}

void OutputFile::commit() {
  if (std::fflush(file_) != 0 || ::fsync(::fileno(file_)) != 0) fail_errno("cannot write", shown_);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail_errno("cannot create", shown_);
  std::fclose(file_);
  file_ = nullptr;
}

namespace {

/// Neither "." nor a slash at its end, so that something can lie beside it.
std::string plain_path(const std::string& path) {
  std::string plain = std::filesystem::absolute(path).lexically_normal();
  while (plain.size() > 1 && plain.back() == '/') plain.pop_back();
  return plain;
}

}  // namespace

OutputDirectory::OutputDirectory(const std::string& path) : path_(plain_path(path)), fd_(-1) {
  struct stat status {};
  if (::stat(path_.c_str(), &status) == 0) {  // rename() replaces an empty directory, and only that
    std::error_code unreadable;
    const bool empty = S_ISDIR(status.st_mode) && std::filesystem::is_empty(path_, unreadable);
    if (!empty || unreadable) {
      fail("cannot write {}: expected nothing there or an empty directory, found {}", quoted(path_),
           S_ISDIR(status.st_mode) ? "a directory with something in it" : "something else");
    }
  }
  const Unfinished unfinished = create_unfinished_directory(path_);
  temporary_ = unfinished.path;
  fd_ = unfinished.fd;
}

OutputDirectory::~OutputDirectory() {
  std::error_code ignored;
  if (!temporary_.empty()) std::filesystem::remove_all(temporary_, ignored);
  ::close(fd_);
}

void OutputDirectory::commit() {
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail_errno("cannot create", path_);
  temporary_.clear();
}

void check_room(const std::string& path, uint64_t bytes, const std::string& shown) {
  const std::filesystem::path directory = std::filesystem::path(plain_path(path)).parent_path();
  std::error_code unknown;
  const auto space = std::filesystem::space(directory, unknown);
  if (!unknown && space.available < bytes) {
    fail("cannot write {}: expected {} bytes of free disk space, found {}",
         quoted(shown.empty() ? path : shown), bytes, space.available);
  }
}

}  // namespace gptj
