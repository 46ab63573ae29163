#include "base/unfinished.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <random>
#include <string_view>

#include "base/error.h"
#include "base/lock.h"

namespace gptj {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMark = ".unfinished-";  // nobody else's: what has it may be removed
constexpr size_t kDigits = 8;

std::string new_name(const std::string& target) {
  std::random_device random;
  return fmt::format("{}{}{:0{}x}", target, kMark, random(), kDigits);
}

bool is_unfinished(std::string_view name, const std::string& target) {
  if (!name.starts_with(target + std::string(kMark))) return false;
  name.remove_prefix(target.size() + kMark.size());
  return name.size() == kDigits && name.find_first_not_of("0123456789abcdef") == name.npos;
}

/// Where files cannot be locked nothing is known to be abandoned, and nothing removed.
void remove_abandoned(const fs::path& target) {
  std::error_code error, ignored;
  const fs::path directory = target.has_parent_path() ? target.parent_path() : ".";
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    if (!is_unfinished(entry->path().filename().native(), target.filename())) continue;
    const int fd = ::open(entry->path().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) continue;
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0) fs::remove_all(entry->path(), ignored);
    ::close(fd);
  }
}

/// `make(path)` gives a descriptor, or -1 and errno: EEXIST asks for another path. Messages call the target `shown`.
template <class Make>
Unfinished create(const std::string& target, const std::string& shown, std::string_view kind,
                  const Make& make) {
  remove_abandoned(target);
  for (;;) {
    Unfinished made{new_name(target), -1};
    made.fd = make(made.path.c_str());
    if (made.fd < 0 && errno == EEXIST) continue;
    if (made.fd < 0) fail_errno(fmt::format("cannot create a {} beside", kind), shown);
    while (::flock(made.fd, LOCK_EX) != 0 && errno == EINTR) {
    }
    if (is_still_there(made.fd, made.path)) return made;
    ::close(made.fd);  // taken for abandoned before it was locked
  }
}

}  // namespace

Unfinished create_unfinished_file(const std::string& target, const std::string& shown) {
  // As mkstemp(), but with the mode of any new file and closed to programs that are started meanwhile.
  return create(target, shown, "file",
                [](const char* path) { return ::open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666); });
}

Unfinished create_unfinished_directory(const std::string& target) {
  return create(target, target, "directory", [](const char* path) {
    if (::mkdir(path, 0777) != 0) return -1;
    const int fd = ::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) return fd;
    const int code = errno;
    ::rmdir(path);
    errno = code == ENOENT ? EEXIST : code;  // ENOENT: taken for abandoned already
    return -1;
  });
}

}  // namespace gptj
