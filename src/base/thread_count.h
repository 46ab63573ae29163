#pragma once

namespace gptj {

/// The threads that an option asks for; 0: one per physical core. Throws Error for what cannot be.
int thread_count(int option);

}  // namespace gptj
