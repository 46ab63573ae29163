#pragma once

namespace gptj {

/// Of an instruction set's own, unlike std::min, which the linker might take from any.
template <class S>
inline int smaller(int x, int y) {
  return x < y ? x : y;
}

}  // namespace gptj
