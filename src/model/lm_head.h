#pragma once

#include "model/ops.h"

namespace gptj {

/// What every architecture ends with.
struct LmHead {
  Norm norm;
  Matrix weight;  // [n_vocab, n_embd]
  Vector bias;    // [n_vocab]; no data: none
};

/// Applies the final norm to the hidden states of the pass's tokens [first, first + count). The result is rows 0 ... of
/// Scratch::normed.
Rows final_norm(const Pass& pass, const LmHead& head, float eps, int first, int count);

/// Makes the logits of the pass's tokens [first, first + count) from their hidden states, in rows 0 ... of
/// Scratch::logits. Never in prefill's arithmetic: few rows are wanted even of a long prompt, and tokens are drawn
/// from them.
void lm_logits(const Pass& pass, const LmHead& head, float eps, int first, int count);

}  // namespace gptj
