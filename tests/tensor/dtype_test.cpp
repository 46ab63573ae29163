#include "tensor/dtype.h"

#include <gtest/gtest.h>

#include <map>

#include "tensor/file_rows.h"
#include "tensor/tensor.h"

namespace gptj {
namespace {

// What ggml.h (quantization version 2) and, of our own formats, formats/native_blocks.h say.
struct Known {
  const char* name;
  int block;
  size_t block_bytes;
  int ggml_type, ggml_ftype;
};
constexpr Known kKnown[] = {
    {"f32", 1, 4, 0, 0},      {"f16", 1, 2, 1, 1},    {"bf16", 1, 2, -1, -1}, {"q8_0", 32, 34, 8, 7},
    {"q4_0", 32, 18, 2, 2},   {"q4_1", 32, 20, 3, 3}, {"q5_0", 32, 22, 6, 8}, {"q5_1", 32, 24, 7, 9},
    {"q8", 128, 130, -1, -1}, {"q6", 64, 50, -1, -1}, {"q5", 64, 42, -1, -1}, {"q4", 32, 18, -1, -1},
};

TEST(DType, TheTableIsWhatFilesHold) {
  ASSERT_EQ(std::size(kKnown), test::all_dtypes().size());
  for (const DType dtype : test::all_dtypes()) {
    const Known& known = kKnown[static_cast<size_t>(dtype)];
    const DTypeInfo& row = info(dtype);
    SCOPED_TRACE(known.name);
    EXPECT_EQ(row.dtype, dtype);
    EXPECT_STREQ(row.name, known.name);
    EXPECT_EQ(row.block, known.block);
    EXPECT_EQ(row.block_bytes, known.block_bytes);
    EXPECT_EQ(row.ggml_type, known.ggml_type);
    EXPECT_EQ(row.ggml_ftype, known.ggml_ftype);
    EXPECT_EQ(row.panel_block % row.block, 0);
  }
}

TEST(DType, GgmlTypesAreFoundAndNoOthers) {
  const std::map<int, DType> known = {{0, DType::f32},  {1, DType::f16},  {2, DType::q4_0}, {3, DType::q4_1},
                                      {6, DType::q5_0}, {7, DType::q5_1}, {8, DType::q8_0}};
  for (int type = -3; type < 50; ++type) {
    const auto expected = known.find(type);
    EXPECT_EQ(dtype_from_ggml_type(type),
              expected == known.end() ? std::nullopt : std::optional(expected->second))
        << type;
  }
}

TEST(DType, RowsAndPanelsTakeWholeBlocks) {
  for (const DType dtype : test::all_dtypes()) {
    const DTypeInfo& row = info(dtype);
    for (const int64_t blocks : {1, 2, 3, 127}) {
      const int64_t n = blocks * row.block;
      EXPECT_EQ(row_bytes(dtype, n), static_cast<size_t>(blocks) * row.block_bytes);
      const int64_t padded = round_up(n, row.panel_block);
      EXPECT_EQ(panel_bytes(dtype, n), 16 * row_bytes(dtype, padded));
    }
    EXPECT_EQ(row_bytes(dtype, 0), 0U);
  }
  EXPECT_EQ(panel_bytes(DType::bf16, 3), 16U * 4 * 2);  // in pairs
}

TEST(Tensor, PanelsOfAMatrixFollowEachOther) {
  const uint8_t data[1] = {};
  for (const int rows : {1, 15, 16, 17, 50257}) {
    const Matrix matrix{data, DType::q4_0, rows, 64};
    const int panels = (rows + 15) / 16;
    EXPECT_EQ(matrix.n_panels(), panels);
    EXPECT_EQ(matrix.bytes(), int64_t{panels} * 16 * 2 * 18);
    EXPECT_EQ(matrix.panel(3) - matrix.panel(2), matrix.panel_stride());
    EXPECT_EQ(matrix.panel(0), data);
  }
}

TEST(Tensor, RowsHaveRoomAfterThem) {
  for (const int64_t n : {1, 16, 17, 4096}) {
    const int64_t stride = Rows::stride_for(n);
    EXPECT_EQ(stride % 16, 0);
    EXPECT_GT(stride, n);
    EXPECT_NE(stride * 4 % 4096, 0) << "rows would share cache sets";
  }
  float data[96];
  const Rows rows{data, 3, 20, 32};
  const Rows slice = rows.slice(1, 2);
  EXPECT_EQ(slice.rows, 2);
  EXPECT_EQ(slice.n, 20);
  EXPECT_EQ(slice.row(1), data + 64);
  EXPECT_EQ((Vector{data, 20}).padded(), 32);
}

}  // namespace
}  // namespace gptj
