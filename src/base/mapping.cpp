#include "base/mapping.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <array>
#include <atomic>
#include <functional>

#include "base/error.h"
#include "base/platform.h"
#include "gptj/mapped_file.h"

namespace gptj {
namespace {

/// Where mapped_file() looks, for a signal's handler can neither lock nor allocate. A program has few models; files
/// beyond these are just not named.
std::array<std::atomic<const Mapping*>, 32> g_mappings;
static_assert(std::atomic<const Mapping*>::is_always_lock_free);

/// Puts `to` in the place of one that is `from`.
void replace(const Mapping* from, const Mapping* to) {
  for (auto& mapping : g_mappings) {
    const Mapping* expected = from;
    if (mapping.compare_exchange_strong(expected, to)) return;
  }
}

}  // namespace

const char* mapped_file(const void* address) noexcept {
  for (const auto& each : g_mappings) {
    const Mapping* const mapping = each;
    if (mapping == nullptr || std::less<>()(address, mapping->data())) continue;
    if (std::less<>()(address, mapping->data() + mapping->size())) return mapping->quoted_path().c_str();
  }
  return nullptr;
}

Mapping::Mapping(const InputFile& file)
    : quoted_path_(quoted(file.path())), data_(nullptr), size_(file.size()) {
  struct stat status {};
  if (::fstat(file.descriptor(), &status) != 0) fail_errno("cannot read", file.path());
  if (static_cast<uint64_t>(status.st_size) != size_) {
    fail("{}: changed while it was read: expected {} bytes, found {}", quoted_path_, size_, status.st_size);
  }
  void* pages = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, file.descriptor(), 0);
  if (pages == MAP_FAILED) fail_errno("cannot map", file.path());
  data_ = static_cast<uint8_t*>(pages);
  platform::prefer_huge_pages(pages, size_);
  replace(nullptr, this);
}

Mapping::~Mapping() {
  replace(this, nullptr);
  ::munmap(data_, size_);
}

void Mapping::read_in(uint64_t begin, uint64_t end) const {
  if (platform::read_in(data_ + begin, end - begin)) return;
  fail("cannot read {}: bytes {} to {} of the file that was mapped: the disk failed, or the file was cut off",
       quoted_path_, begin, end);
}

void Mapping::lock() const {
  platform::lock_pages(data_, size_, quoted_path_);
}

}  // namespace gptj
