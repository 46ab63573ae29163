#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "tensor/dtype.h"
#include "tensor/panel.h"
#include "tensor/with_format.h"

namespace gptj::test {

inline std::vector<DType> all_dtypes() {
  std::vector<DType> all;
  for (int i = 0; i < kNumDTypes; ++i) all.push_back(static_cast<DType>(i));
  return all;
}

inline bool is_quantized(DType dtype) {
  return info(dtype).block > 1;
}

inline bool has_minimum(DType dtype) {
  bool has = false;
  with_format(dtype, [&]<class Format>(Format) {
    if constexpr (kIsQuantized<Format>) has = Format::kHasMin;
  });
  return has;
}

/// Rows in a file's form: any bytes, but the scales of blocks are finite.
class FileRows {
 public:
  FileRows(DType dtype, int rows, int64_t n) : rows_(rows), stride_(row_bytes(dtype, n)) {
    std::mt19937 random(static_cast<uint32_t>(n));
    bytes_.resize(stride_ * static_cast<size_t>(rows));
    for (uint8_t& byte : bytes_) byte = static_cast<uint8_t>(random());
    if (!is_quantized(dtype)) return;
    for (size_t block = 0; block < bytes_.size(); block += info(dtype).block_bytes) {
      for (const size_t high : {1u, 3u}) bytes_[block + high] &= 0xbf;  // an exponent below 31
    }
  }

  const uint8_t* row(int r) const { return bytes_.data() + static_cast<size_t>(r) * stride_; }
  uint8_t* row(int r) { return bytes_.data() + static_cast<size_t>(r) * stride_; }
  const uint8_t* data() const { return bytes_.data(); }

  /// The 16 rows of a panel as pack_panel() takes them.
  struct Panel {
    const uint8_t* rows[kPanelRows];
  };
  Panel panel(int index) const {
    Panel out{};
    for (int r = 0; r < kPanelRows && index * kPanelRows + r < rows_; ++r) {
      out.rows[r] = row(index * kPanelRows + r);
    }
    return out;
  }

 private:
  int rows_;
  size_t stride_;
  std::vector<uint8_t> bytes_;
};

}  // namespace gptj::test
