// A matrix that the file holds transposed must give the very panels of the matrix itself.

#include <gtest/gtest.h>

#include <algorithm>

#include "tensor/file_rows.h"
#include "tensor/pack.h"

namespace gptj {
namespace {

using test::FileRows;

std::vector<uint8_t> packed(DType dtype, const FileRows& matrix, int rows, int64_t n) {
  const int panels = (rows + kPanelRows - 1) / kPanelRows;
  const size_t stride = panel_bytes(dtype, n);
  std::vector<uint8_t> out(stride * static_cast<size_t>(panels));
  for (int p = 0; p < panels; ++p) {
    pack_panel(dtype, matrix.panel(p).rows, n, &out[stride * static_cast<size_t>(p)]);
  }
  return out;
}

std::vector<uint8_t> transposed(DType dtype, const FileRows& matrix, int rows, int64_t n) {
  const size_t size = info(dtype).block_bytes;
  std::vector<uint8_t> out;
  for (int64_t k = 0; k < n; ++k) {
    for (int r = 0; r < rows; ++r) {
      const uint8_t* value = matrix.row(r) + static_cast<size_t>(k) * size;
      out.insert(out.end(), value, value + size);
    }
  }
  return out;
}

void expect_same_panels(DType dtype) {
  for (const int rows : {1, 15, 16, 17, 40, 127}) {
    for (const int64_t n : {1, 2, 3, 16, 31, 33, 100}) {
      const FileRows matrix(dtype, rows, n);
      const std::vector<uint8_t> expected = packed(dtype, matrix, rows, n);
      const std::vector<uint8_t> source = transposed(dtype, matrix, rows, n);
      const size_t source_row = static_cast<size_t>(rows) * info(dtype).block_bytes;
      for (const int64_t step : {int64_t{2}, int64_t{6}, int64_t{32}, n}) {  // as the loader's pieces
        SCOPED_TRACE(testing::Message() << rows << " rows, n " << n << ", " << step << " at a time");
        std::vector<uint8_t> panels(expected.size());  // zeros, as an arena gives them
        for (int64_t k = 0; k < n; k += step) {
          pack_transposed(dtype, &source[static_cast<size_t>(k) * source_row], k, std::min(n, k + step), rows,
                          n, panels.data());
        }
        ASSERT_EQ(panels, expected);
      }
    }
  }
}

TEST(PackTransposed, GivesThePanelsOfTheMatrix) {
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16}) {
    SCOPED_TRACE(info(dtype).name);
    expect_same_panels(dtype);
  }
}

}  // namespace
}  // namespace gptj
