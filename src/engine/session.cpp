#include "gptj/session.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "engine/evaluator.h"
#include "engine/model_impl.h"
#include "engine/session_state.h"
#include "kernels/cpu.h"

namespace gptj {

std::string instruction_set() {
  return kernels().name;
}

struct Session::Impl {
  Impl(const Model::Impl& m, const SessionOptions& o)
      : model(m),
        options(resolved(o, m.architecture->config().n_ctx)),
        evaluator(*m.architecture, options),
        kv(evaluator.kv()) {}

  const Model::Impl& model;
  const SessionOptions options;
  Evaluator evaluator;
  KvSequences& kv;
};

Session::Session(const Model& model, const SessionOptions& options)
    : impl_(std::make_unique<Impl>(*model.impl_, options)) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

int Session::n_ctx() const {
  return impl_->options.n_ctx;
}
int Session::n_sequences() const {
  return impl_->options.n_sequences;
}
int Session::n_past(int sequence) const {
  return impl_->kv.n_past(sequence);
}
std::span<const int> Session::tokens(int sequence) const {
  return impl_->kv.tokens(sequence);
}
int Session::n_batch() const {
  return impl_->options.n_batch;
}
int Session::n_threads() const {
  return impl_->options.n_threads;
}
bool Session::prefix_lm() const {
  return impl_->options.prefix_lm;
}

SessionState Session::state() const {
  return {impl_->model.architecture->config(), impl_->model.weight_bytes, impl_->options, impl_->kv};
}

void Session::watch_inputs(std::function<void(std::string_view matrix, const Rows& x)> each) {
  if (!each) return impl_->evaluator.watch_inputs({});
  impl_->evaluator.watch_inputs([&names = impl_->model.matrix_names, each = std::move(each)](
                                    const Matrix& w, const Rows& x) { each(names.at(w.data), x); });
}

void Session::watch(std::function<void(const Intermediate&)> each) {
  if (!each) return impl_->evaluator.watch({});
  impl_->evaluator.watch([each = std::move(each)](std::string_view name, const Rows& rows) {
    each({name, rows.rows, rows.n, rows.data, rows.stride});
  });
}

void Session::truncate(int n_past, int sequence) {
  impl_->kv.truncate(sequence, std::clamp(n_past, 0, impl_->kv.n_past(sequence)));
}

void Session::fork(int from, int to) {
  impl_->kv.fork(from, to);
}

bool Session::can_shift() const {
  return impl_->model.architecture->config().n_rot > 0;
}

void Session::shift(int begin, int end, int sequence) {
  if (!can_shift()) fail("context shift: expected a model with rotary positions, found learned ones");
  impl_->evaluator.shift(sequence, begin, end);
}

std::span<const float> Session::prefill(std::span<const int> ids, const std::function<bool()>& cancelled,
                                        int sequence) {
  if (ids.empty()) fail("prompt: expected at least 1 token, found none");
  if (prefix_lm() && ids.size() > static_cast<size_t>(n_batch())) {
    fail("prompt: expected at most {} tokens, the batch size, to be read both ways, found {}", n_batch(),
         ids.size());
  }
  return impl_->evaluator.last_logits({ids, sequence}, Arithmetic::prefill, cancelled);
}

void Session::prefill_each(std::span<const int> ids,
                           const std::function<void(int, std::span<const float>)>& each) {
  impl_->evaluator.each_logits({ids, 0}, Arithmetic::prefill, each);
}

void Session::hidden_states(std::span<const int> ids,
                            const std::function<void(int, std::span<const float>)>& each) {
  impl_->evaluator.each_state({ids, 0}, each);
}

std::span<const float> Session::decode(int id) {
  return impl_->evaluator.last_logits({{&id, 1}, 0}, Arithmetic::decode, {});
}

void Session::decode_each(std::span<const int> ids,
                          const std::function<void(int, std::span<const float>)>& each) {
  impl_->evaluator.each_logits({ids, 0}, Arithmetic::decode, each);
}

void Session::decode_each(std::span<const Token> tokens,
                          const std::function<void(int, std::span<const float>)>& each) {
  impl_->evaluator.each_logits(NewTokens(tokens), Arithmetic::decode, each);
}

}  // namespace gptj
