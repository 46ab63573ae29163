#pragma once

#include <cstddef>
#include <cstdint>

#include "gptj/kv_type.h"
#include "tensor/dtype.h"
#include "tensor/kv_head.h"
#include "tensor/panel.h"

/// The function table through which the rest of the program computes. One table exists per instruction set;
/// cpu.h chooses. Every function is noexcept, allocates nothing and is safe to call from several threads on
/// different outputs. Strides are in elements. Rows of floats may be read and written up to the next multiple
/// of 16 values: buffers are padded, and padding holds zeros or nothing that matters.
namespace gptj {

/// y[c][r] += sum over k of W[r][k] * x[c][k], for all rows r of some panels and all columns c.
/// The order of summation depends on n alone: never on how many panels or columns there are.
struct MatmulArgs {
  const uint8_t* panels;
  int64_t panel_stride;  // bytes
  int n_panels;
  int n;           // length of a row of W and of x
  const float* x;  // [n_columns][x_stride]
  int64_t x_stride;
  int n_columns;
  float* y;  // [n_columns][y_stride], 16 values for each panel
  int64_t y_stride;
};

/// Activations in 8 bits, at most 127 in magnitude: value = d * q, a scale for each block of 32 values of a
/// row.
struct QuantizedRows {
  struct Block {
    float d;
    float d_sum;  // d times the sum of q: what a weight's minimum is multiplied with
    /// Of the block's q, and of those of its second half alone: values 4 i and 4 i + 1 summed in the lower 16
    /// bits, values 4 i + 2 and 4 i + 3 in the upper ones; what a weight's offset is multiplied with.
    int32_t pair_sums[2];
  };
  int8_t* q;      // [rows][stride]
  Block* blocks;  // [rows][stride / 32]
  int64_t stride;

  /// Room for a row of n values; like Rows, not a multiple of 4 KB apart.
  static int64_t stride_for(int64_t n) { return round_up(n, 64) + 64; }
};

/// The same with quantized activations; only for block formats. `x` and `x_stride` of `matmul` are not used.
struct QuantMatmulArgs {
  MatmulArgs matmul;
  QuantizedRows x;
};

/// Queries of one head against its keys and values: query i sees the first n_past + i + 1 tokens.
struct AttentionArgs {
  KvHead kv;
  int head_dim;
  float scale;
  const float* q;  // [n_queries][q_stride]
  int64_t q_stride;
  int n_queries;
  int n_past;
  float* out;  // [n_queries][out_stride]; nothing is written beyond head_dim
  int64_t out_stride;
  float* scratch;  // [attention_scratch(n_ctx, head_dim)]
};

/// Queries that meet keys and values together, and tokens that they meet at a time: their scores, and the
/// keys or values, stay in L2.
inline constexpr int kMaxQueryBlock = 28;
inline constexpr int kKeyBlock = 256;

constexpr int64_t attention_scratch(int64_t n_ctx, int64_t head_dim) {
  return kMaxQueryBlock * (round_up(n_ctx, 16) + 16 + kKeyBlock + round_up(head_dim, 16));
}

struct FormatKernels {
  void (*matmul)(const MatmulArgs&) noexcept;
  void (*matmul_quantized)(const QuantMatmulArgs&) noexcept;  // nullptr for float formats
  /// Values [begin, end) of the 16 rows of a panel as floats, [end - begin][16]; `begin` a multiple of 256.
  void (*unpack)(const uint8_t* panel, int begin, int end, float* out) noexcept;
};

struct KvKernels {
  /// A token's key and value [head_dim] into their places.
  void (*store)(const KvHead& head, int token, const float* key, const float* value, int head_dim) noexcept;
  /// softmax(q K^T * scale) V. A query's result does not depend on the other queries.
  void (*attention)(const AttentionArgs&) noexcept;
};

enum class Activation { gelu_new, gelu, relu };
inline constexpr int kNumActivations = 3;

struct Kernels {
  const char* name;
  FormatKernels formats[kNumDTypes];  // index: DType
  KvKernels kv[kNumKvTypes];          // index: KvType

  /// y = (x - mean) / sqrt(variance + eps) * gain + bias over n values (arXiv:1607.06450).
  void (*layer_norm)(const float* x, const float* gain, const float* bias, int n, float eps,
                     float* y) noexcept;
  /// Row `row` of `out` from n values, a multiple of 32.
  void (*quantize)(const float* x, int n, const QuantizedRows& out, int64_t row) noexcept;
  /// Rotates the pairs (x[2i], x[2i+1]) by angles given as (cos, sin) pairs (RoPE, arXiv:2104.09864).
  void (*rotate)(float* x, const float* cos_sin, int n_rot) noexcept;
  /// x = f(x); index: Activation.
  void (*activations[kNumActivations])(float* x, int n) noexcept;

  /// Nothing but multiply-adds, in F32 and of bytes; return the operations done, two for each.
  int64_t (*f32_roof)(int64_t repeats) noexcept;
  int64_t (*int8_roof)(int64_t repeats) noexcept;
};

}  // namespace gptj
