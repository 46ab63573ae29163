#include "model/lm_head.h"

namespace gptj {

Rows final_norm(const Pass& pass, const LmHead& head, float eps, int first, int count) {
  const Rows normed = pass.scratch.normed.slice(0, count);
  layer_norm(pass, head.norm, eps, pass.scratch.hidden.slice(first, count), normed);
  probe(pass, "ln_f", normed);
  return normed;
}

void lm_logits(const Pass& pass, const LmHead& head, float eps, int first, int count) {
  Pass head_pass = pass;
  if (pass.arithmetic == Arithmetic::prefill) head_pass.arithmetic = Arithmetic::decode;
  const Rows last = final_norm(head_pass, head, eps, first, count);
  const Vector* bias = head.bias.data != nullptr ? &head.bias : nullptr;
  linear(head_pass, {{.first = {head.weight, last}, .y = pass.scratch.logits.slice(0, count), .bias = bias}});
}

}  // namespace gptj
