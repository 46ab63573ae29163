#pragma once

#include <cstddef>
#include <cstdint>

/// Weights in memory: panels of 16 rows, interleaved. Lanes of a register are rows, so products need neither
/// shuffles nor horizontal sums, and the same bytes serve registers of 4, 8 and 16 lanes. A panel holds its
/// rows' whole length; panels follow each other without gaps; rows beyond the last one are zeros.
namespace gptj {

inline constexpr int kPanelRows = 16;

/// Sums run over this many values of a row at a time, each in a chain of its own, then are added up: short
/// chains keep F32 sums accurate, and a slab of a panel fits L1 when it is unpacked (16 KB).
inline constexpr int kSlab = 256;

constexpr int64_t round_up(int64_t n, int64_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

}  // namespace gptj
