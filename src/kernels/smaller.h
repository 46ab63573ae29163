#pragma once

namespace gptj {

/// std::min as a template on the instruction set: of an inline function that the objects of several sets share, the
/// linker might keep the copy that uses instructions which this CPU lacks.
template <class S>
inline int smaller(int x, int y) {
  return x < y ? x : y;
}

}  // namespace gptj
