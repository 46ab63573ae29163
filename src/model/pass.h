#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "base/arena.h"
#include "base/thread_pool.h"
#include "kernels/kernels.h"
#include "model/config.h"
#include "model/kv_sequences.h"
#include "tensor/tensor.h"

namespace gptj {

/// Room for the activations of `n_tokens` tokens. Padding holds any bytes.
struct Scratch {
  Rows hidden;                // [n_tokens, n_embd], the residual stream
  Rows normed;                // [n_tokens, n_embd]
  Rows qkv;                   // [n_tokens, 3 * qkv_step]
  Rows mixed;                 // [n_tokens, n_embd], the values as attention weighs them
  Rows inner;                 // [n_tokens, n_inner]
  uint8_t* operands[2] = {};  // each for one input of a pass over weights, packed as products take it
  float* threads = nullptr;   // [n_threads][thread_stride], scratch of attention and products
  int64_t thread_stride = 0;
  Rows logits;  // [logit rows, n_vocab]

  float* of_thread(int thread) const { return threads + thread * thread_stride; }

  Scratch() = default;
  Scratch(Arena& arena, const Config& config, int n_tokens, int n_logits, int n_threads);
};

/// Tokens of a pass that follow each other in one text.
struct TokenRun {
  int sequence;  // in the KV cache, where they have pages of their own
  int n_tokens;
};

/// One evaluation of some tokens: what forward() and the operations work with.
struct Pass {
  ThreadPool& pool;
  const Kernels& kernels;
  const KvKernels& kv_kernels;
  const KvSequences& kv;
  const float* cos_sin;  // [n_ctx, n_rot], see rotary_angles()
  const Scratch& scratch;
  Arithmetic arithmetic;  // of products and attention

  std::span<const int> ids;        // the new tokens
  std::span<const TokenRun> runs;  // their sequences, in order; each at most once
  bool prefix_lm = false;          // tokens of a run see all of it, not only those before them

  /// Gets named intermediates ("embed", "h.0.ln_1", "h.0", "ln_f"); null unless they are wanted.
  const std::function<void(std::string_view name, const Rows& rows)>* probe = nullptr;

  /// Gets each matrix of a pass over weights and its input, before the product; null unless inputs are measured.
  const std::function<void(const Matrix& w, const Rows& x)>* inputs = nullptr;

  int n_tokens() const { return static_cast<int>(ids.size()); }
};

}  // namespace gptj
