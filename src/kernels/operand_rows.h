#pragma once

#include "kernels/packed_args.h"

/// Where the rows of an operand of prefill's products lie, relative to its beginning: one after the other, or, where the
/// CPU has tiles, 16 at a time: 64 bytes of each, the next 64 bytes of each, and so on, and then their scales in the
/// same order. So a tile is 1 KB without gaps, which the hardware prefetches.
namespace gptj {

inline constexpr int kTileRows = 16, kTileRowBytes = 64;

/// Of byte `byte` of a row's numbers.
template <class S>
constexpr int64_t number_offset(int64_t stride, int row, int64_t byte) {
  if constexpr (!kTiled<S>) return row * stride + byte;
  const int in_tile = row % kTileRows;
  return (row - in_tile) * stride + (byte / kTileRowBytes * kTileRows + in_tile) * kTileRowBytes +
         byte % kTileRowBytes;
}

/// Of the row's scale of a slab, where a row has `numbers` bytes of numbers.
template <class S>
constexpr int64_t scale_offset(int64_t stride, int64_t numbers, int row, int slab) {
  constexpr auto kScale = static_cast<int64_t>(sizeof(SlabScale));
  if constexpr (!kTiled<S>) return row * stride + numbers + slab * kScale;
  const int in_tile = row % kTileRows;
  return (row - in_tile) * stride + kTileRows * numbers + (slab * kTileRows + in_tile) * kScale;
}

}  // namespace gptj
