#include "model/pass.h"

#include <algorithm>

namespace gptj {
namespace {

Rows take_rows(Arena& arena, int rows, int64_t n) {
  const int64_t stride = Rows::stride_for(n);
  return {arena.take<float>(rows * stride), rows, static_cast<int>(n), stride};
}

/// Room for rows of n values, packed as any product takes them.
uint8_t* take_operand(Arena& arena, int rows, int64_t n) {
  int64_t stride = 0;
  for (const Operand operand : {Operand::blocks, Operand::slabs, Operand::bf16}) {
    stride = std::max(stride, operand_stride(operand, n));
  }
  return arena.take<uint8_t>(round_up(rows, kOperandRows) * stride);
}

}  // namespace

Scratch::Scratch(Arena& arena, const Config& config, int n_tokens, int n_logits, int n_threads)
    : hidden(take_rows(arena, n_tokens, config.n_embd)),
      normed(take_rows(arena, n_tokens, config.n_embd)),
      qkv(take_rows(arena, n_tokens, 3 * round_up(config.n_embd, kPanelRows))),
      mixed(take_rows(arena, n_tokens, config.n_embd)),
      inner(take_rows(arena, n_tokens, config.n_inner)),
      operands{take_operand(arena, n_tokens, std::max(config.n_embd, config.n_inner)),
               take_operand(arena, n_tokens, std::max(config.n_embd, config.n_inner))},
      thread_stride(std::max(attention_scratch(n_tokens, config.head_dim()),
                             kMatmulScratch / static_cast<int64_t>(sizeof(float)))) {
  threads = arena.take<float>(n_threads * thread_stride);
  logits = take_rows(arena, n_logits, config.n_vocab);
}

}  // namespace gptj
