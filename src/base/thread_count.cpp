#include "base/thread_count.h"

#include "base/error.h"
#include "base/platform.h"

namespace gptj {

int thread_count(int option) {
  constexpr int kMost = 1024;
  if (option < 0 || option > kMost) fail("threads: expected 1 to {}, found {}", kMost, option);
  return option > 0 ? option : platform::physical_cores();
}

}  // namespace gptj
