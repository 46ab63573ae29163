#include "tensor/old_encodings.h"

#include <bit>
#include <cstring>

#include "tensor/encodings/block_fields.h"

namespace gptj {
namespace {

float read_f32(const uint8_t* in) {
  return std::bit_cast<float>(static_cast<uint32_t>(u16_field(in)) | static_cast<uint32_t>(u16_field(in + 2))
                                                                         << 16);
}

/// A block of 32 values that only differs from today's in the width of its scales or the order of its nibbles.
struct OldBlock {
  DType dtype;
  int n_scales;  // and minima, at the block's beginning
  bool f32_scales;
  int fifth_bits = 0;  // bytes of them
  int quants = 16;     // bytes
  bool neighbours;     // share a byte

  constexpr size_t bytes() const {
    return static_cast<size_t>(n_scales * (f32_scales ? 4 : 2) + fifth_bits + quants);
  }
};

/// 16 bytes of two neighbours each to 16 bytes of the values j and j + 16 each.
void pair_halves(const uint8_t* in, uint8_t* out) {
  for (int j = 0; j < 16; ++j) {
    const int shift = j % 2 * 4, low = in[j / 2] >> shift & 15, high = in[8 + j / 2] >> shift & 15;
    out[j] = static_cast<uint8_t>(low | high << 4);
  }
}

template <OldBlock Block>
bool decode_block(const uint8_t* in, int64_t n, uint8_t* out) {
  bool finite = true;
  for (int64_t k = 0; k < n; k += 32) {
    for (int i = 0; i < Block.n_scales; ++i, in += Block.f32_scales ? 4 : 2, out += 2) {
      const uint16_t half = Block.f32_scales ? f32_to_f16(read_f32(in)) : u16_field(in);
      finite &= is_finite_f16(half);
      put_u16_field(half, out);
    }
    std::memcpy(out, in, Block.fifth_bits);
    in += Block.fifth_bits;
    out += Block.fifth_bits;
    if (Block.neighbours) {
      pair_halves(in, out);
    } else {
      std::memcpy(out, in, Block.quants);
    }
    in += Block.quants;
    out += Block.quants;
  }
  return finite;
}

/// q4_2: x = d * (q - 8). q4_3: x = d * q + m. 16 values, neighbours share a byte.
template <bool kMinimum>
bool decode_short_block(const uint8_t* in, int64_t n, uint8_t* out) {
  bool finite = true;
  for (int64_t k = 0; k < n; k += 16) {
    const float d = f16_field(in);
    const float m = kMinimum ? f16_field(in + 2) : -8 * d;
    in += kMinimum ? 4 : 2;
    for (int j = 0; j < 16; ++j, out += 2) {
      const uint16_t half = f32_to_f16(d * static_cast<float>(in[j / 2] >> (j % 2 * 4) & 15) + m);
      finite &= is_finite_f16(half);
      put_u16_field(half, out);
    }
    in += 8;
  }
  return finite;
}

template <OldBlock Block>
constexpr Encoding encoding(const char* name) {
  return {name, 32, Block.bytes(), Block.dtype, decode_block<Block>};
}

/// A type of one version or of two.
struct Row {
  int first_version, last_version;
  int type;  // ggml's number of it
  Encoding encoding;
};

constexpr bool kWide = true, kNeighbours = true;

constexpr Row kRows[] = {
    {0, 0, 2, encoding<OldBlock{DType::q4_0, 1, kWide, 0, 16, kNeighbours}>("q4_0, version 0")},
    {0, 0, 3, encoding<OldBlock{DType::q4_1, 2, kWide, 0, 16, kNeighbours}>("q4_1, version 0")},
    {0, 0, 4, {"q4_2", 16, 10, DType::f16, decode_short_block<false>}},
    {0, 0, 5, {"q4_3", 16, 12, DType::f16, decode_short_block<true>}},
    {0, 0, 6, encoding<OldBlock{DType::q5_0, 1, !kWide, 4, 16, kNeighbours}>("q5_0, version 0")},
    {0, 0, 7, encoding<OldBlock{DType::q5_1, 2, !kWide, 4, 16, kNeighbours}>("q5_1, version 0")},
    {1, 1, 2, encoding<OldBlock{DType::q4_0, 1, kWide, 0, 16, !kNeighbours}>("q4_0, version 1")},
    {1, 1, 3, encoding<OldBlock{DType::q4_1, 2, kWide, 0, 16, !kNeighbours}>("q4_1, version 1")},
    {0, 1, 8, encoding<OldBlock{DType::q8_0, 1, kWide, 0, 32, !kNeighbours}>("q8_0, version 1")},
};

}  // namespace

const Encoding* old_encoding_of_ggml_type(int version, int type) {
  for (const Row& row : kRows) {
    if (type == row.type && version >= row.first_version && version <= row.last_version) return &row.encoding;
  }
  return nullptr;
}

}  // namespace gptj
