#pragma once

namespace gptj {

/// The number of threads that an option asks for; 0: one per physical core. Throws Error if it is below 0 or above
/// 1024.
int thread_count(int option);

}  // namespace gptj
