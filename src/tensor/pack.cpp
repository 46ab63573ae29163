#include "tensor/pack.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "tensor/formats/unpack.h"
#include "tensor/with_format.h"

namespace gptj {
namespace {

/// [16][n] to [n][16], `Bytes` per element; tiles of 16 columns keep both sides in L1.
template <int Bytes>
void interleave(const uint8_t* const (&rows)[kPanelRows], int64_t n, uint8_t* panel) {
  constexpr int64_t kTile = 16;
  for (int64_t k = 0; k < n; k += kTile) {
    const int64_t width = std::min(kTile, n - k);
    uint8_t* tile = panel + k * kPanelRows * Bytes;
    for (int r = 0; r < kPanelRows; ++r) {
      const uint8_t* from = rows[r] + k * Bytes;
      for (int64_t j = 0; j < width; ++j) {
        std::memcpy(tile + (j * kPanelRows + r) * Bytes, from + j * Bytes, Bytes);
      }
    }
  }
}

/// [n][16] to [16][n].
template <int Bytes>
void deinterleave(const uint8_t* panel, int64_t n, uint8_t* const (&rows)[kPanelRows]) {
  constexpr int64_t kTile = 16;
  for (int64_t k = 0; k < n; k += kTile) {
    const int64_t width = std::min(kTile, n - k);
    const uint8_t* tile = panel + k * kPanelRows * Bytes;
    for (int r = 0; r < kPanelRows; ++r) {
      uint8_t* to = rows[r] + k * Bytes;
      for (int64_t j = 0; j < width; ++j) {
        std::memcpy(to + j * Bytes, tile + (j * kPanelRows + r) * Bytes, Bytes);
      }
    }
  }
}

template <class Format>
bool pack_format(const uint8_t* const (&rows)[kPanelRows], int64_t n, uint8_t* panel) {
  constexpr DTypeInfo kInfo = Format::kInfo;
  if constexpr (kIsQuantized<Format>) {
    bool finite = true;
    const uint8_t* blocks[kPanelRows];
    std::copy(rows, rows + kPanelRows, blocks);
    for (int64_t k = 0; k < n; k += kInfo.block, panel += kInfo.block_bytes * kPanelRows) {
      finite &= Format::pack(blocks, panel);
      for (const uint8_t*& block : blocks) block += kInfo.block_bytes;
    }
    return finite;
  } else {
    // What lies together in a panel moves as one element; an odd end is completed with zeros.
    constexpr int kUnit = static_cast<int>(kInfo.block_bytes) * kInfo.panel_block;
    const int64_t whole = n / kInfo.panel_block;
    interleave<kUnit>(rows, whole, panel);
    if (const int64_t rest = n % kInfo.panel_block; rest != 0) {
      uint8_t* last = panel + whole * kPanelRows * kUnit;
      std::memset(last, 0, kPanelRows * kUnit);
      for (int r = 0; r < kPanelRows; ++r) {
        std::memcpy(last + r * kUnit, rows[r] + whole * kUnit, static_cast<size_t>(rest) * kInfo.block_bytes);
      }
    }
    return true;
  }
}

template <class Format>
void unpack_format(const uint8_t* panel, int64_t n, uint8_t* const (&rows)[kPanelRows]) {
  constexpr DTypeInfo kInfo = Format::kInfo;
  if constexpr (kIsQuantized<Format>) {
    uint8_t* blocks[kPanelRows];
    std::copy(rows, rows + kPanelRows, blocks);
    for (int64_t k = 0; k < n; k += kInfo.block, panel += kInfo.block_bytes * kPanelRows) {
      Unpacker<Format>::unpack(panel, blocks);
      for (uint8_t*& block : blocks) block += kInfo.block_bytes;
    }
  } else {
    constexpr int kUnit = static_cast<int>(kInfo.block_bytes) * kInfo.panel_block;
    const int64_t whole = n / kInfo.panel_block;
    deinterleave<kUnit>(panel, whole, rows);
    if (const int64_t rest = n % kInfo.panel_block; rest != 0) {
      const uint8_t* last = panel + whole * kPanelRows * kUnit;
      for (int r = 0; r < kPanelRows; ++r) {
        std::memcpy(rows[r] + whole * kUnit, last + r * kUnit, static_cast<size_t>(rest) * kInfo.block_bytes);
      }
    }
  }
}

}  // namespace

bool pack_panel(DType dtype, const uint8_t* const (&rows)[kPanelRows], int64_t n, uint8_t* panel) {
  const size_t bytes = row_bytes(dtype, n);
  if (std::find(rows, rows + kPanelRows, nullptr) != rows + kPanelRows) {
    // Only the last panel of a matrix comes here, so a buffer for its missing rows costs nothing.
    const auto zeros = std::make_unique<uint8_t[]>(bytes);
    const uint8_t* filled[kPanelRows];
    for (int r = 0; r < kPanelRows; ++r) filled[r] = rows[r] ? rows[r] : zeros.get();
    return pack_panel(dtype, filled, n, panel);
  }
  bool finite = true;
  with_format(dtype, [&]<class Format>(Format) { finite = pack_format<Format>(rows, n, panel); });
  return finite;
}

void unpack_panel(DType dtype, const uint8_t* panel, int64_t n, uint8_t* const (&rows)[kPanelRows]) {
  with_format(dtype, [&]<class Format>(Format) { unpack_format<Format>(panel, n, rows); });
}

void transpose(const uint8_t* from, size_t rows, size_t columns, size_t size, uint8_t* to) {
  constexpr size_t kTile = 16;  // columns: keeps both sides in L1
  for (size_t begin = 0; begin < columns; begin += kTile) {
    const size_t end = std::min(columns, begin + kTile);
    for (size_t row = 0; row < rows; ++row) {
      for (size_t column = begin; column < end; ++column) {
        std::memcpy(to + (column * rows + row) * size, from + (row * columns + column) * size, size);
      }
    }
  }
}

void to_f32(DType dtype, const uint8_t* source, int64_t n, float* out) {
  with_format(dtype, [&]<class Format>(Format) {
    if constexpr (kIsQuantized<Format>) {
      float values[Format::kBlock];
      for (int64_t i = 0; i < n; i += Format::kBlock, source += Format::kFileBlock) {
        Format::dequantize(source, values);
        std::copy(values, values + Format::kBlock, out + i);
      }
    } else {
      for (int64_t i = 0; i < n; ++i, source += sizeof(typename Format::Number)) {
        typename Format::Number number;
        std::memcpy(&number, source, sizeof number);
        out[i] = Format::to_f32(number);
      }
    }
  });
}

}  // namespace gptj
