#include "kernels/prefetch.h"

namespace gptj {

#ifdef __x86_64__
namespace {

bool is_intel() {
  __builtin_cpu_init();
  return __builtin_cpu_is("intel");
}

}  // namespace

const bool kPrefetchesAll = is_intel();
#endif

}  // namespace gptj
