#pragma once

#include <cstdint>

namespace gptj {

/// SplitMix64's finalizer (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014): a
/// bijection in which every bit of the input changes each bit of the output half of the time.
inline uint64_t mixed(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

/// A number in [0, 1) for one decision: a function of the seed, the place in the text, and which of the decisions at
/// that place it is (`stream`). It is counter-based (Salmon et al.: Parallel Random Numbers: As Easy as 1, 2, 3,
/// 2011) and has no state, so that whoever gets to the same place in whatever way finds the same number. Each of the
/// three arguments is mixed in by a round of its own, so that neighbours in any of them are unrelated.
inline double random_number(uint64_t seed, uint64_t place, uint64_t stream) {
  constexpr uint64_t kGolden = 0x9e3779b97f4a7c15;  // 2^64 / golden ratio: steps that never line up
  uint64_t x = 0;
  for (const uint64_t part : {seed, place, stream}) x = mixed(x + kGolden * (part + 1));
  return static_cast<double>(x >> 11) * 0x1p-53;  // standard distributions differ between libraries
}

}  // namespace gptj
