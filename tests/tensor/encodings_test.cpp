// Blocks of k-types and IQ4 against what the gguf package makes of them (tools/make_golden_encodings.py).

#include "tensor/encodings.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/file.h"
#include "base/half.h"

namespace gptj {
namespace {

struct Blocks {
  std::vector<uint8_t> encoded, values;  // values: rows of F16
  int64_t n;                             // values
};

/// Of tests/data/encodings/<name>.bin: blocks, and then their values in F16.
Blocks golden(const Encoding& encoding) {
  const InputFile file(std::string(GPTJ_TEST_DATA "/encodings/") + encoding.name + ".bin");
  const auto block = static_cast<size_t>(encoding.block);
  const size_t n_blocks = file.size() / (encoding.block_bytes + block * 2);
  Blocks out{std::vector<uint8_t>(n_blocks * encoding.block_bytes),
             std::vector<uint8_t>(n_blocks * block * 2), static_cast<int64_t>(n_blocks * block)};
  EXPECT_GE(n_blocks, 3U);
  EXPECT_EQ(file.size(), out.encoded.size() + out.values.size());
  file.read_at(0, out.encoded.data(), out.encoded.size());
  file.read_at(out.encoded.size(), out.values.data(), out.values.size());
  return out;
}

TEST(Encodings, DecodeToTheValuesOfTheReference) {
  for (const Encoding& encoding : ggml_encodings()) {
    SCOPED_TRACE(encoding.name);
    const Blocks blocks = golden(encoding);
    std::vector<uint8_t> found(blocks.values.size());
    EXPECT_EQ(encoding.dtype, DType::f16);
    EXPECT_TRUE(encoding.decode(blocks.encoded.data(), blocks.n, found.data()));
    EXPECT_EQ(found, blocks.values);
    EXPECT_EQ(encoding.row_bytes(blocks.n), blocks.encoded.size());
  }
}

TEST(Encodings, EveryByteOfABlockCounts) {
  for (const Encoding& encoding : ggml_encodings()) {
    SCOPED_TRACE(encoding.name);
    Blocks blocks = golden(encoding);
    for (size_t at = 0; at < encoding.block_bytes; ++at) {
      std::vector<uint8_t> found(blocks.values.size());
      blocks.encoded[at] ^= 0x55;
      encoding.decode(blocks.encoded.data(), blocks.n, found.data());
      EXPECT_NE(found, blocks.values) << "byte " << at;
      blocks.encoded[at] ^= 0x55;
    }
  }
}

TEST(Encodings, ScalesThatAreNotFinite) {
  for (const Encoding& encoding : ggml_encodings()) {
    SCOPED_TRACE(encoding.name);
    for (const int scale : {0x7c00, 0xfc00, 0x7e00}) {
      Blocks blocks = golden(encoding);
      for (size_t at = 0; at < encoding.block_bytes; at += 2) {
        blocks.encoded[at] = static_cast<uint8_t>(scale);
        blocks.encoded[at + 1] = static_cast<uint8_t>(scale >> 8);
      }
      EXPECT_FALSE(encoding.decode(blocks.encoded.data(), blocks.n, blocks.values.data()));
    }
  }
}

TEST(Encodings, AreFoundByTheirNumber) {
  EXPECT_STREQ(encoding_of_ggml_type(12)->name, "q4_K");
  for (const Encoding& encoding : ggml_encodings()) {
    EXPECT_EQ(encoding_of_ggml_type(encoding.ggml_type), &encoding);
    EXPECT_FALSE(dtype_from_ggml_type(encoding.ggml_type)) << encoding.name;
  }
  for (const int none : {-1, 0, 1, 8, 15, 16, 1000}) EXPECT_EQ(encoding_of_ggml_type(none), nullptr);
}

}  // namespace
}  // namespace gptj
