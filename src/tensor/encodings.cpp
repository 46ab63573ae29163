#include "tensor/encodings.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tensor/encodings/iq4_blocks.h"
#include "tensor/encodings/k_blocks.h"
#include "tensor/formats/ggml_blocks.h"

namespace gptj {
namespace {

/// Blocks in which each group of 32 values shares one scale, so that a storage format's block of 32 can hold a group.
template <class Block>
concept Grouped = requires(const uint8_t* in) {
  Block::group(in, 0);
};

template <class Block>
void values_of(const uint8_t* in, float* out) {
  if constexpr (Grouped<Block>) {
    for (int i = 0; i < Block::kValues / Group::kValues; ++i) {
      const Group group = Block::group(in, i);
      for (const int8_t q : group.q) *out++ = group.d * static_cast<float>(q) + group.m;
    }
  } else {
    Block::values(in, out);
  }
}

template <class Block>
bool decode_f32(const uint8_t* in, int64_t n, uint8_t* out) {
  bool finite = true;
  for (int64_t k = 0; k < n; k += Block::kValues, in += Block::kBytes) {
    float values[Block::kValues];
    values_of<Block>(in, values);
    for (const float value : values) finite &= std::isfinite(value);
    std::memcpy(out, values, sizeof(values));
    out += sizeof(values);
  }
  return finite;
}

/// Keeps the integers. Only the scales change: they were products and are rounded to F16.
template <class Format>
bool encode_group(const Group& group, uint8_t* out) {
  const uint16_t scales[2] = {f32_to_f16(group.d), f32_to_f16(group.m)};
  uint8_t q[Group::kValues];
  std::copy_n(group.q, Group::kValues, q);
  Format::encode(scales, q, out);
  return is_finite_f16(scales[0]) && is_finite_f16(scales[1]);
}

/// Two groups of 16 with a scale each as one block of 32: the nearest of 255 levels.
bool encode_nearest(const float* x, uint8_t* out) {
  float largest = 0;
  bool finite = true;
  for (int k = 0; k < Q8_0::kBlock; ++k) {
    largest = std::max(largest, std::abs(x[k]));
    finite &= std::isfinite(x[k]);
  }
  if (!finite) return false;
  const uint16_t scales[2] = {f32_to_f16(largest / 127)};
  const float d = f16_to_f32(scales[0]), inverse = d > 0 ? 1 / d : 0;
  uint8_t q[Q8_0::kBlock];
  for (int k = 0; k < Q8_0::kBlock; ++k) {
    q[k] = static_cast<uint8_t>(static_cast<int8_t>(std::clamp(std::round(x[k] * inverse), -127.0f, 127.0f)));
  }
  Q8_0::encode(scales, q, out);
  return is_finite_f16(scales[0]);
}

template <class Block, class Format>
bool decode(const uint8_t* in, int64_t n, uint8_t* out) {
  static_assert(Format::kBlock == Group::kValues);
  bool finite = true;
  for (int64_t k = 0; k < n; k += Block::kValues, in += Block::kBytes) {
    float values[Block::kValues];
    if constexpr (!Grouped<Block>) Block::values(in, values);
    for (int i = 0; i < Block::kValues / Group::kValues; ++i, out += Format::kFileBlock) {
      if constexpr (Grouped<Block>) {
        finite &= encode_group<Format>(Block::group(in, i), out);
      } else {
        finite &= encode_nearest(values + i * Group::kValues, out);
      }
    }
  }
  return finite;
}

/// `Format`: the smallest that has the numbers of a grouped block, else q8_0.
template <class Block, class Format>
constexpr Encoding encoding(const char* name, int ggml_type) {
  return {
      name,     Block::kValues, Block::kBytes, Format::kInfo.dtype, decode<Block, Format>, decode_f32<Block>,
      ggml_type};
}

constexpr Encoding kEncodings[] = {
    encoding<Q2K, Q8_0>("q2_K", 10),     encoding<Q3K, Q8_0>("q3_K", 11), encoding<Q4K, Q4_1>("q4_K", 12),
    encoding<Q5K, Q5_1>("q5_K", 13),     encoding<Q6K, Q8_0>("q6_K", 14), encoding<Iq4Nl, Q8_0>("iq4_nl", 20),
    encoding<Iq4Xs, Q8_0>("iq4_xs", 23),
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
