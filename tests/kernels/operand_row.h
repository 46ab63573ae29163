#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "kernels/kernels.h"

namespace gptj {

/// A row of an operand, wherever a set of kernels puts it. For tiles, 16 rows of numbers in 8 bits with their slabs, or
/// in BF16, lie together: 64 bytes of each at a time, then a scale of each at a time.
class OperandRow {
 public:
  OperandRow(const Kernels& kernels, Operand operand, int n, int row, const uint8_t* all)
      : numbers_(operand_numbers(operand, n)), together_(rows_together(kernels, operand)) {
    const int64_t in_tile = row % together_;
    tile_ = all + (row - in_tile) * operand_stride(operand, n);
    in_tile_ = in_tile;
  }

  const uint8_t* number(int64_t byte) const {
    return tile_ + (byte / 64 * together_ + in_tile_) * 64 + byte % 64;
  }
  /// Bytes [begin, end).
  std::vector<int8_t> bytes(int64_t begin, int64_t end) const {
    std::vector<int8_t> out;
    for (int64_t i = begin; i < end; ++i) out.push_back(static_cast<int8_t>(*number(i)));
    return out;
  }
  template <class Scale>
  Scale scale(int64_t index) const {
    Scale scale;
    const auto at =
        together_ * numbers_ + (index * together_ + in_tile_) * static_cast<int64_t>(sizeof scale);
    std::memcpy(&scale, tile_ + at, sizeof scale);
    return scale;
  }

 private:
  static int64_t rows_together(const Kernels& kernels, Operand operand) {
    const bool for_tiles = operand == Operand::slabs || operand == Operand::bf16;
    return for_tiles && std::strstr(kernels.name, "amx") != nullptr ? 16 : 1;
  }

  const int64_t numbers_, together_;
  const uint8_t* tile_ = nullptr;
  int64_t in_tile_ = 0;
};

}  // namespace gptj
