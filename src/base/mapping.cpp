#include "base/mapping.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/platform.h"

namespace gptj {

Mapping::Mapping(const InputFile& file) : path_(file.path()), data_(nullptr), size_(file.size()) {
  struct stat status {};
  if (::fstat(file.descriptor(), &status) != 0) fail_errno("cannot read", path_);
  if (static_cast<uint64_t>(status.st_size) != size_) {
    fail("{}: changed while it was read: expected {} bytes, found {}", quoted(path_), size_, status.st_size);
  }
  void* pages = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, file.descriptor(), 0);
  if (pages == MAP_FAILED) fail_errno("cannot map", path_);
  data_ = static_cast<uint8_t*>(pages);
  platform::prefer_huge_pages(pages, size_);
}

Mapping::~Mapping() {
  ::munmap(data_, size_);
}

void Mapping::read_in(uint64_t begin, uint64_t end) const {
  if (platform::read_in(data_ + begin, end - begin)) return;
  fail("cannot read {}: bytes {} to {} of the file that was mapped: the disk failed, or the file was cut off",
       quoted(path_), begin, end);
}

void Mapping::lock() const {
  platform::lock_pages(data_, size_, quoted(path_));
}

}  // namespace gptj
