#pragma once

#include <cstdint>

namespace gptj::apps {

/// How often operator new has been called so far, by all threads of this program.
int64_t n_allocations();

}  // namespace gptj::apps
