#pragma once

#include "model/ops.h"

namespace gptj {

/// What every architecture ends with.
struct LmHead {
  Norm norm;
  Matrix weight;  // [n_vocab, n_embd]
  Vector bias;    // [n_vocab]; no data: none
};

/// The states of the pass's tokens [first, first + count) after the final norm, from their hidden states: rows 0 ... of
/// Scratch::normed.
Rows final_norm(const Pass& pass, const LmHead& head, float eps, int first, int count);

/// The logits of the pass's tokens [first, first + count), from their hidden states, to rows 0 ... of
/// Scratch::logits. They are few even of a long prompt, and what is drawn from: never in prefill's arithmetic.
void lm_logits(const Pass& pass, const LmHead& head, float eps, int first, int count);

}  // namespace gptj
