#pragma once

#include <cstddef>
#include <vector>

/// Linked into a program, takes the place of malloc and its family, and of mmap, and counts.
namespace gptj::test {

/// Calls that asked for memory since the program began, of any thread.
long n_allocations();

/// While it lives, notes the sizes of what is mapped readable and writable.
class MapRecorder {
 public:
  MapRecorder();
  ~MapRecorder();
  MapRecorder(const MapRecorder&) = delete;
  MapRecorder& operator=(const MapRecorder&) = delete;

  std::vector<size_t> sizes() const;
};

}  // namespace gptj::test
