#include "tensor/encodings.h"

#include <algorithm>

#include "tensor/encodings/iq4_blocks.h"
#include "tensor/encodings/k_blocks.h"

namespace gptj {
namespace {

/// Rows of F16: each value is rounded to 2^-11 of itself.
template <class Block>
bool decode(const uint8_t* in, int64_t n, uint8_t* out) {
  bool finite = true;
  for (int64_t k = 0; k < n; k += Block::kValues, in += Block::kBytes) {
    float values[Block::kValues];
    Block::values(in, values);
    for (int j = 0; j < Block::kValues; ++j, out += 2) {
      const uint16_t half = f32_to_f16(values[j]);
      finite &= is_finite_f16(half);
      put_u16_field(half, out);
    }
  }
  return finite;
}

template <class Block>
constexpr Encoding encoding(const char* name, int ggml_type) {
  return {name, Block::kValues, Block::kBytes, DType::f16, decode<Block>, ggml_type};
}

constexpr Encoding kEncodings[] = {
    encoding<Q2K>("q2_K", 10),     encoding<Q3K>("q3_K", 11), encoding<Q4K>("q4_K", 12),
    encoding<Q5K>("q5_K", 13),     encoding<Q6K>("q6_K", 14), encoding<Iq4Nl>("iq4_nl", 20),
    encoding<Iq4Xs>("iq4_xs", 23),
};

}  // namespace

std::span<const Encoding> ggml_encodings() {
  return kEncodings;
}

const Encoding* encoding_of_ggml_type(int type) {
  const auto* found = std::find_if(std::begin(kEncodings), std::end(kEncodings),
                                   [&](const Encoding& encoding) { return encoding.ggml_type == type; });
  return found == std::end(kEncodings) ? nullptr : found;
}

}  // namespace gptj
