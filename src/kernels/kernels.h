#pragma once

#include <cstddef>
#include <cstdint>

#include "gptj/kv_type.h"
#include "tensor/dtype.h"
#include "tensor/kv_head.h"
#include "tensor/panel.h"

/// The function table through which the rest of the program computes. One table exists per instruction set; cpu.h
/// chooses. Every function is noexcept, allocates nothing and is safe to call from several threads on different
/// outputs. Strides of floats count floats, all others bytes. Rows of floats may be read and written up to the next
/// multiple of 16 values: buffers are padded, and padding holds zeros or nothing that matters.
namespace gptj {

/// The form in which a product takes its activations. A row has numbers and their scales.
enum class Operand {
  f32,     // as they are
  blocks,  // 8 bits, at most 127 in magnitude, then a BlockScale for each 32
  slabs,   // 8 bits, then a SlabScale for each 512
  bf16,
};
inline constexpr int kNumOperands = 4;

struct BlockScale {
  float d;      // value = d * number
  float d_sum;  // d times the sum of the numbers: what a weight's minimum is multiplied with
  /// Of the block's numbers, and of those of its second half alone: 4 i and 4 i + 1 summed in the lower 16 bits,
  /// 4 i + 2 and 4 i + 3 in the upper ones; what a weight's offset is multiplied with.
  int32_t pair_sums[2];
};

/// Values that share a SlabScale. More than a kSlab, because sums of bytes are exact at any length, and fewer scales
/// mean fewer multiplications.
inline constexpr int kByteSlab = 512;

struct SlabScale {
  float d;
  /// What sums of products start from: -128 times the sum of the numbers where weights are given plus 128, else 0.
  int32_t start;
};

/// Bytes of a row's numbers, completed to whole registers.
[[gnu::always_inline]] constexpr int64_t operand_numbers(Operand operand, int64_t n) {
  return round_up(operand == Operand::f32 ? 4 * n : operand == Operand::bf16 ? 2 * n : n, 64);
}

/// Bytes of a row: an odd multiple of 512, so that the same 512 bytes of several rows fall into different sets of the
/// caches. Always inlined, as the one before: sets of instructions must not share a function (tests/checks/symbols.sh).
[[gnu::always_inline]] constexpr int64_t operand_stride(Operand operand, int64_t n) {
  int64_t scales = 0;
  if (operand == Operand::blocks) scales = round_up(n, 32) / 32 * static_cast<int64_t>(sizeof(BlockScale));
  if (operand == Operand::slabs)
    scales = round_up(n, kByteSlab) / kByteSlab * static_cast<int64_t>(sizeof(SlabScale));
  const int64_t slabs = round_up(operand_numbers(operand, n) + scales, 512) / 512;
  return (slabs | 1) * 512;
}

/// Operands have room for a multiple of these rows, some of which kernels may lay out together.
inline constexpr int kOperandRows = 16;

/// y[c][r] = bias[r] + sum over k of W[r][k] * x[c][k], for all rows r of some panels and all columns c; or, with `add`,
/// y[c][r] += that.
/// The order of summation depends on n alone: never on how many panels or columns there are.
struct MatmulArgs {
  const uint8_t* panels;
  int64_t panel_stride;  // bytes
  int n_panels;
  int n;             // length of a row of W and of x
  const uint8_t* x;  // the product's operand of n_columns rows
  int64_t x_stride;  // bytes
  int n_columns;
  float* y;          // [n_columns][y_stride], 16 values for each panel
  int64_t y_stride;  // floats
  /// [kMatmulScratch], aligned to 64 bytes: the thread's own; only prefill's products use it.
  uint8_t* scratch;
  bool add = true;
  const float* bias = nullptr;  // 16 values for each panel; nullptr: zeros
};

/// Bytes of a row that prefill's products pack at most at a time, and scratch for four panels of these.
inline constexpr int kPackedBytes = 4096;
inline constexpr int64_t kMatmulScratch = 4 * kPanelRows * (kPackedBytes + sizeof(float));

struct Product {
  Operand operand;
  void (*matmul)(const MatmulArgs&) noexcept;
  int n_panels;  // that are computed at a time: threads should take a multiple of these
};

/// How products and attention compute. decode and prefill may be the same.
enum class Arithmetic {
  exact,    // F32 activations
  decode,   // few tokens: the weights as they are stored, which memory delivers no faster
  prefill,  // many tokens: what the CPU multiplies fastest, at a little less precision
};
inline constexpr int kNumArithmetics = 3;

/// Queries of some heads, which lie side by side, against their keys and values: query i sees the first n_past + i + 1
/// tokens, or the first n_common if these are more.
struct AttentionArgs {
  KvHead kv;  // of the first head
  int n_heads;
  int head_dim;
  float scale;
  const float* q;    // [n_queries][q_stride], head_dim values for each head
  int64_t q_stride;  // floats
  int n_queries;
  int n_past;
  int n_common;        // tokens that all queries see; 0: attention is causal, at most n_past + n_queries
  float* out;          // [n_queries][out_stride]; nothing is written beyond n_heads * head_dim
  int64_t out_stride;  // floats
  float* scratch;      // [attention_scratch(n_queries, head_dim)]
};

/// Heads and queries that are computed together, and tokens that those of a prompt meet at a time in BF16: their scores,
/// and the keys or values, stay in L2.
inline constexpr int kMaxHeadBlock = 4;
inline constexpr int kMaxQueryBlock = 32;
inline constexpr int kKeyBlock = 256;
static_assert(kKeyBlock % kKvPage == 0);

/// Floats of scratch that attention needs, whatever the arithmetic: either the results so far of one block of heads and
/// queries, and their scores for a page; or the results so far of all queries and one block of keys and values in BF16.
constexpr int64_t attention_scratch(int64_t n_queries, int64_t head_dim) {
  const int64_t width = round_up(head_dim, 16);
  const int64_t scores = kMaxHeadBlock * kMaxQueryBlock * (width + 2 * kKvPage);
  const int64_t query = operand_stride(Operand::bf16, head_dim) / 4 + width + 2;
  const int64_t row = kKeyBlock + 16 + operand_stride(Operand::bf16, kKeyBlock) / 4;
  const int64_t blocks =
      round_up(n_queries, kOperandRows) * query + kMaxQueryBlock * row + kKeyBlock * (width + 16);
  return round_up(scores > blocks ? scores : blocks, 16);
}

struct FormatKernels {
  Product products[kNumArithmetics];  // index: Arithmetic
  /// Values [begin, end) of the 16 rows of a panel as floats, [end - begin][16]; `begin` a multiple of 256.
  void (*unpack)(const uint8_t* panel, int begin, int end, float* out) noexcept;
};

struct KvKernels {
  /// Puts a token's key and value [head_dim] into the cache.
  void (*store)(const KvHead& head, int token, const float* key, const float* value, int head_dim) noexcept;
  /// Reads them back, as exactly as the cache has kept them.
  void (*load)(const KvHead& head, int token, float* key, float* value, int head_dim) noexcept;
  /// softmax(q K^T * scale) V. A query's result does not depend on the other queries.
  void (*attention[kNumArithmetics])(const AttentionArgs&) noexcept;  // index: Arithmetic
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
  /// Makes a row of an operand from n values, a multiple of 32 for operands in 8 bits; index: Operand. Where it lies in
  /// there is these kernels' own business. nullptr: nothing to do, or no product takes it.
  void (*pack[kNumOperands])(const float* x, int n, int row, uint8_t* operand) noexcept;
  /// Rotates the pairs (x[2i], x[2i+1]) by angles given as (cos, sin) pairs (RoPE, arXiv:2104.09864).
  void (*rotate)(float* x, const float* cos_sin, int n_rot) noexcept;
  /// x = f(x); index: Activation.
  void (*activations[kNumActivations])(float* x, int n) noexcept;

  /// Reads `bytes`, a multiple of 256, and does as little as possible with them.
  int32_t (*read_roof)(const uint8_t* data, int64_t bytes) noexcept;
  /// Nothing but multiply-adds in F32, of bytes, and of BF16. Return the number of operations, two for each.
  int64_t (*f32_roof)(int64_t repeats) noexcept;
  int64_t (*int8_roof)(int64_t repeats) noexcept;
  int64_t (*bf16_roof)(int64_t repeats) noexcept;  // nullptr: no such instruction
};

}  // namespace gptj
