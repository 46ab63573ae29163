#pragma once

#include <cstdint>

#include "kernels/unroll.h"

namespace gptj {

/// Does a core wait for memory even with several streams of weights, unless each is prefetched? Decoding takes 6 to
/// 14 % less time so on Intel's CPUs, and 10 to 12 % more on AMD's.
#ifdef __x86_64__
extern const bool kPrefetchesAll;
#else
inline constexpr bool kPrefetchesAll = false;
#endif

/// Prefetches weights where the hardware alone leaves a core waiting: with a single stream, and on some CPUs with
/// several. Streams are panels, which are at `position` now, a multiple of kBytes; after them come as many others.
/// Always inlined: gcc thinks that a call of a function that does nothing else is worth nothing, and drops it; and
/// nothing may be left that files with other instructions could share.
template <int kStreams, int kBytes>
[[gnu::always_inline]] inline void prefetch(const uint8_t* panel, int64_t position, int64_t stride) {
  if (kStreams > 1 && !kPrefetchesAll) return;
  constexpr int kLine = 64;
  const int64_t ahead = position + ((kPrefetchesAll ? 2048 : 4096) + kBytes - 1) / kBytes * kBytes;
  const uint8_t* from = panel + ahead + (ahead < stride ? 0 : (kStreams - 1) * stride);
  GPTJ_UNROLL
  for (int s = 0; s < kStreams; ++s) {
    GPTJ_UNROLL
    for (int i = 0; i < kBytes; i += kLine) __builtin_prefetch(from + s * stride + i);
  }
}

}  // namespace gptj
