#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

namespace gptj {

/// The number of tokens with which both texts begin.
inline size_t common_beginning(std::span<const int> a, std::span<const int> b) {
  return static_cast<size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

}  // namespace gptj
