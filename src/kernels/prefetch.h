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

/// Some panels that are computed together, each from a stream of its own: memory delivers several at a time faster than
/// one, and each the faster the longer it goes on.
struct Streams {
  const uint8_t* panel;  // of the first stream
  int64_t stride;        // bytes from stream to stream
  int64_t left;          // bytes of each stream, from its panel on
  float* y;              // the first stream's results
  int64_t y_step;        // floats from stream to stream
};

/// Prefetches weights where the hardware alone leaves a core waiting: with a single stream, and on some CPUs with
/// several. `position`, a multiple of kBytes, is counted from the panels on; behind the last stream others begin.
/// Always inlined: gcc thinks that a call of a function that does nothing else is worth nothing, and drops it; and
/// nothing may be left that files with other instructions could share.
template <int kStreams, int kBytes>
[[gnu::always_inline]] inline void prefetch(const Streams& streams, int64_t position) {
  if (kStreams > 1 && !kPrefetchesAll) return;
  constexpr int kLine = 64;
  const int64_t ahead = position + ((kPrefetchesAll ? 2048 : 4096) + kBytes - 1) / kBytes * kBytes;
  const uint8_t* from = streams.panel + ahead + (ahead < streams.left ? 0 : (kStreams - 1) * streams.stride);
  GPTJ_UNROLL
  for (int s = 0; s < kStreams; ++s) {
    GPTJ_UNROLL
    for (int i = 0; i < kBytes; i += kLine) __builtin_prefetch(from + s * streams.stride + i);
  }
}

}  // namespace gptj
