// Panels against a second, slow and literal reading of the layouts that src/tensor/formats/*.h describe.

#include "tensor/pack.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "tensor/file_rows.h"

namespace gptj {
namespace {

using test::FileRows;
using test::has_minimum;

/// One block of a file: where byte j holds value j in its low nibble and value j + 16 in its high one.
struct Block {
  uint16_t d = 0, m = 0;
  int q[128] = {};  // as stored, without the format's offset
};

int bits_of(DType dtype) {
  int bits = 0;
  with_format(dtype, [&]<class Format>(Format) {
    if constexpr (kIsQuantized<Format>) bits = Format::kBits;
  });
  return bits;
}

Block read_block(DType dtype, const uint8_t* from) {
  Block block;
  std::memcpy(&block.d, from, 2);
  from += 2;
  if (has_minimum(dtype)) {
    std::memcpy(&block.m, from, 2);
    from += 2;
  }
  for (int* q = block.q; q < block.q + info(dtype).block; q += 32) {
    if (bits_of(dtype) == 8) {
      std::copy(from, from + 32, q);
      from += 32;
      continue;
    }
    const uint8_t* nibbles = from + 4 * (bits_of(dtype) - 4);
    for (int k = 0; k < 32; ++k) {
      q[k] = k < 16 ? nibbles[k] % 16 : nibbles[k - 16] / 16;
      for (int bit = 4; bit < bits_of(dtype); ++bit) {
        q[k] += (from[4 * (bit - 4) + k / 8] >> (k % 8) & 1) << bit;
      }
    }
    from = nibbles + 16;
  }
  return block;
}

/// formats/quantized.h: d[16], m[16]; then for each 32 values the high bits, and [group][16][4] bytes or pairs of
/// nibbles.
std::vector<uint8_t> quantized_panel_block(DType dtype, const Block (&rows)[kPanelRows]) {
  const int bits = bits_of(dtype);
  std::vector<uint8_t> out(info(dtype).block_bytes * kPanelRows);
  size_t at = 0;
  for (const Block& row : rows) {
    std::memcpy(&out[at], &row.d, 2);
    at += 2;
  }
  if (has_minimum(dtype)) {
    for (const Block& row : rows) {
      std::memcpy(&out[at], &row.m, 2);
      at += 2;
    }
  }
  for (int sub = 0; sub < info(dtype).block; sub += 32) {
    const int high_bits = bits == 8 ? 0 : bits - 4;
    for (int r = 0; r < kPanelRows; ++r) {
      for (int k = 0; k < 32 && high_bits != 0; ++k) {
        const int per_word = 8 / high_bits, group = k / 4;  // groups whose bits share a word
        const auto byte = static_cast<size_t>((group / per_word * 16 + r) * 4 + k % 4);
        out[at + byte] |= static_cast<uint8_t>((rows[r].q[sub + k] >> 4) << (group % per_word * high_bits));
      }
    }
    at += static_cast<size_t>(high_bits * 4 * kPanelRows);
    for (int r = 0; r < kPanelRows; ++r) {
      for (int k = 0; k < 32; ++k) {
        const int group = bits == 8 ? k / 4 : k / 8;
        const bool high = bits != 8 && k % 8 >= 4;
        const int value = bits == 8 ? rows[r].q[sub + k] : rows[r].q[sub + k] % 16;
        out[at + static_cast<size_t>((group * 16 + r) * 4 + k % 4)] |=
            static_cast<uint8_t>(high ? value * 16 : value);
      }
    }
    at += static_cast<size_t>(bits == 8 ? 32 : 16) * kPanelRows;
  }
  return out;
}

std::vector<uint8_t> expected_panel(DType dtype, const uint8_t* const (&rows)[kPanelRows], int64_t n) {
  const DTypeInfo& format = info(dtype);
  std::vector<uint8_t> out;
  if (test::is_quantized(dtype)) {
    for (int64_t block = 0; block < n / format.block; ++block) {
      Block blocks[kPanelRows];
      for (int r = 0; r < kPanelRows; ++r) {
        if (rows[r] != nullptr)
          blocks[r] = read_block(dtype, rows[r] + row_bytes(dtype, format.block * block));
      }
      const std::vector<uint8_t> packed = quantized_panel_block(dtype, blocks);
      out.insert(out.end(), packed.begin(), packed.end());
    }
    return out;
  }
  // formats/float_formats.h: [k][16], for BF16 [k / 2][16][2], an odd end completed with zero.
  const int64_t together = dtype == DType::bf16 ? 2 : 1;
  for (int64_t k = 0; k < n; k += together) {
    for (const uint8_t* row : rows) {
      for (int64_t j = k; j < k + together; ++j) {
        for (size_t byte = 0; byte < format.block_bytes; ++byte) {
          const bool there = row != nullptr && j < n;
          out.push_back(there ? row[static_cast<size_t>(j) * format.block_bytes + byte] : uint8_t{0});
        }
      }
    }
  }
  return out;
}

TEST(PackPanel, EveryFormatAsItsHeaderSays) {
  for (const DType dtype : test::all_dtypes()) {
    const int block = info(dtype).block;
    for (const int64_t blocks : {1, 2, 3, 15, 16, 17, 31, 33, 127, 1023}) {
      const int64_t n = blocks * block;
      for (const int rows : {1, 15, 16}) {
        SCOPED_TRACE(testing::Message() << info(dtype).name << ", n " << n << ", rows " << rows);
        const FileRows file(dtype, rows, n);
        const FileRows::Panel from = file.panel(0);
        std::vector<uint8_t> panel(panel_bytes(dtype, n), 0xee);  // what was there must not shine through
        EXPECT_TRUE(pack_panel(dtype, from.rows, n, panel.data()));
        ASSERT_EQ(panel, expected_panel(dtype, from.rows, n));
      }
    }
  }
}

TEST(UnpackPanel, GivesTheRowsBack) {
  for (const DType dtype : test::all_dtypes()) {
    for (const int64_t blocks : {1, 2, 3, 15, 16, 17, 33}) {
      const int64_t n = blocks * info(dtype).block;
      SCOPED_TRACE(testing::Message() << info(dtype).name << ", n " << n);
      const FileRows file(dtype, kPanelRows, n);
      std::vector<uint8_t> panel(panel_bytes(dtype, n)), rows(row_bytes(dtype, n) * kPanelRows, 0xee);
      ASSERT_TRUE(pack_panel(dtype, file.panel(0).rows, n, panel.data()));
      uint8_t* to[kPanelRows];
      for (size_t r = 0; r < kPanelRows; ++r) to[r] = rows.data() + r * row_bytes(dtype, n);
      unpack_panel(dtype, panel.data(), n, to);
      EXPECT_TRUE(std::equal(rows.begin(), rows.end(), file.data()));
    }
  }
}

TEST(PackPanel, ScalesThatAreNotFiniteAreNoticed) {
  constexpr uint16_t kInfinity = 0x7c00, kNan = 0x7e01, kLargest = 0x7bff, kNegativeNan = 0xfc01;
  for (const DType dtype : test::all_dtypes()) {
    if (!test::is_quantized(dtype)) continue;
    const int64_t n = 3 * info(dtype).block;
    for (const int row : {0, 7, 15}) {
      for (const size_t block : {0u, 1u, 2u}) {
        for (const size_t part : {0u, 1u}) {
          for (const uint16_t scale : {kInfinity, kNan, kNegativeNan, kLargest}) {
            SCOPED_TRACE(testing::Message() << info(dtype).name << ", row " << row << ", block " << block
                                            << ", part " << part << ", scale " << scale);
            FileRows file(dtype, kPanelRows, n);
            std::memcpy(file.row(row) + block * info(dtype).block_bytes + part * 2, &scale, 2);
            std::vector<uint8_t> panel(panel_bytes(dtype, n));
            const bool is_scale = part == 0 || has_minimum(dtype);
            EXPECT_EQ(pack_panel(dtype, file.panel(0).rows, n, panel.data()), !is_scale || scale == kLargest);
          }
        }
      }
    }
  }
}

TEST(PackPanel, PlainNumbersMayBeAnything) {
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16}) {
    FileRows file(dtype, kPanelRows, 5);
    std::memset(file.row(3), 0xff, row_bytes(dtype, 5));  // NaN
    std::vector<uint8_t> panel(panel_bytes(dtype, 5));
    EXPECT_TRUE(pack_panel(dtype, file.panel(0).rows, 5, panel.data()));
    EXPECT_EQ(panel, expected_panel(dtype, file.panel(0).rows, 5));
  }
}

TEST(Transpose, RowsBecomeColumns) {
  for (const auto& [rows, columns] : {std::pair<size_t, size_t>{1, 1}, {1, 40}, {40, 1}, {5, 16}, {37, 33}}) {
    for (const size_t size : {size_t{2}, size_t{4}}) {
      std::vector<uint8_t> from(rows * columns * size), to(from.size());
      for (size_t i = 0; i < from.size(); ++i) from[i] = static_cast<uint8_t>(i * 7 + i / 251);
      transpose(from.data(), rows, columns, size, to.data());
      for (size_t row = 0; row < rows; ++row) {
        for (size_t column = 0; column < columns; ++column) {
          ASSERT_EQ(
              0, std::memcmp(&to[(column * rows + row) * size], &from[(row * columns + column) * size], size))
              << rows << " x " << columns << ": " << row << ", " << column;
        }
      }
    }
  }
}

}  // namespace
}  // namespace gptj
