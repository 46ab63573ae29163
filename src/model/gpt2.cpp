// GPT-2 (Radford et al. 2019): learned positions, attention and then feed-forward, each with a norm of its
// own.

#include "model/architecture.h"
#include "model/ops.h"

namespace gptj {
namespace {

class Gpt2 : public Architecture {
 public:
  explicit Gpt2(const Config& config) : Architecture(config), layers_(static_cast<size_t>(config.n_layer)) {}

  void bind(Binder& binder) override;
  bool forward(const Pass& pass, const Cancelled& cancelled) const override;
  uint64_t read_bytes() const override;

 private:
  const LmHead& head() const override { return head_; }
  struct Layer {
    Norm ln_1, ln_2;
    Matrix attn;     // [3 n_embd, n_embd]: queries, keys, values
    Matrix proj;     // [n_embd, n_embd]
    Matrix fc;       // [n_inner, n_embd]
    Matrix fc_proj;  // [n_embd, n_inner]
    Vector attn_bias, proj_bias, fc_bias, fc_proj_bias;
  };

  Matrix wte_;  // [n_vocab, n_embd]
  Matrix wpe_;  // [n_ctx, n_embd]
  std::vector<Layer> layers_;
  LmHead head_;
};

void Gpt2::bind(Binder& binder) {
  const Config& c = config_;
  const TensorName wte{"wte.weight", "model/wte", "token_embd.weight"},
      head{"lm_head.weight", "model/lm_head", "output.weight"};
  binder.matrix(wte_, wte, c.n_vocab, c.n_embd);
  binder.matrix(wpe_, {"wpe.weight", "model/wpe", "position_embd.weight"}, c.n_ctx, c.n_embd);
  for (int i = 0; i < c.n_layer; ++i) {
    Layer& l = layers_[static_cast<size_t>(i)];
    binder.vector(l.ln_1.gain, {"h.{}.ln_1.weight", "model/h{}/ln_1/g", "blk.{}.attn_norm.weight"}, c.n_embd,
                  i);
    binder.vector(l.ln_1.bias, {"h.{}.ln_1.bias", "model/h{}/ln_1/b", "blk.{}.attn_norm.bias"}, c.n_embd, i);
    binder.conv1d(l.attn, {"h.{}.attn.c_attn.weight", "model/h{}/attn/c_attn/w", "blk.{}.attn_qkv.weight"},
                  3 * c.n_embd, c.n_embd, i);
    binder.vector(l.attn_bias, {"h.{}.attn.c_attn.bias", "model/h{}/attn/c_attn/b", "blk.{}.attn_qkv.bias"},
                  3 * c.n_embd, i);
    binder.conv1d(l.proj, {"h.{}.attn.c_proj.weight", "model/h{}/attn/c_proj/w", "blk.{}.attn_output.weight"},
                  c.n_embd, c.n_embd, i);
    binder.vector(l.proj_bias,
                  {"h.{}.attn.c_proj.bias", "model/h{}/attn/c_proj/b", "blk.{}.attn_output.bias"}, c.n_embd,
                  i);
    binder.vector(l.ln_2.gain, {"h.{}.ln_2.weight", "model/h{}/ln_2/g", "blk.{}.ffn_norm.weight"}, c.n_embd,
                  i);
    binder.vector(l.ln_2.bias, {"h.{}.ln_2.bias", "model/h{}/ln_2/b", "blk.{}.ffn_norm.bias"}, c.n_embd, i);
    binder.conv1d(l.fc, {"h.{}.mlp.c_fc.weight", "model/h{}/mlp/c_fc/w", "blk.{}.ffn_up.weight"}, c.n_inner,
                  c.n_embd, i);
    binder.vector(l.fc_bias, {"h.{}.mlp.c_fc.bias", "model/h{}/mlp/c_fc/b", "blk.{}.ffn_up.bias"}, c.n_inner,
                  i);
    binder.conv1d(l.fc_proj, {"h.{}.mlp.c_proj.weight", "model/h{}/mlp/c_proj/w", "blk.{}.ffn_down.weight"},
                  c.n_embd, c.n_inner, i);
    binder.vector(l.fc_proj_bias, {"h.{}.mlp.c_proj.bias", "model/h{}/mlp/c_proj/b", "blk.{}.ffn_down.bias"},
                  c.n_embd, i);
  }
  binder.vector(head_.norm.gain, {"ln_f.weight", "model/ln_f/g", "output_norm.weight"}, c.n_embd);
  binder.vector(head_.norm.bias, {"ln_f.bias", "model/ln_f/b", "output_norm.bias"}, c.n_embd);
  // A file's own head counts even where the config says that it is tied.
  binder.matrix(head_.weight, c.tied && !binder.has(head) ? wte : head, c.n_vocab, c.n_embd);
}

bool Gpt2::forward(const Pass& pass, const Cancelled& cancelled) const {
  const Config& c = config_;
  const int n = pass.n_tokens();
  const Rows x = pass.scratch.hidden.slice(0, n);
  const Rows normed = pass.scratch.normed.slice(0, n);
  const Rows qkv = pass.scratch.qkv.slice(0, n);
  const Rows mixed = pass.scratch.mixed.slice(0, n);
  const Rows inner = pass.scratch.inner.slice(0, n);

  embed(pass, wte_, pass.ids, x);
  add_positions(pass, wpe_, x);
  probe(pass, "embed", x);
  for (int i = 0; i < c.n_layer; ++i) {
    if (cancelled && cancelled()) return false;
    const Layer& l = layers_[static_cast<size_t>(i)];
    layer_norm(pass, l.ln_1, c.layer_norm_eps, x, normed);
    probe(pass, "h.{}.ln_1", i, normed);
    linear(pass, {{.first = {l.attn, normed}, .y = qkv, .bias = &l.attn_bias}});
    probe(pass, "h.{}.attn.c_attn", i, {qkv.data, n, 3 * c.n_embd, qkv.stride});
    attention(pass, {.layer = i,
                     .n_head = c.n_head,
                     .head_dim = c.head_dim(),
                     .step = c.n_embd,
                     .n_rot = 0,
                     .scale = c.attention_scale(i)});
    probe(pass, "h.{}.attn.c_proj.input", i, mixed);
    linear(pass, {{.first = {l.proj, mixed}, .y = x, .bias = &l.proj_bias, .add = true}});
    layer_norm(pass, l.ln_2, c.layer_norm_eps, x, normed);
    probe(pass, "h.{}.ln_2", i, normed);
    linear(pass, {{.first = {l.fc, normed}, .y = inner, .bias = &l.fc_bias, .activation = &c.activation}});
    probe(pass, "h.{}.mlp.act", i, inner);
    linear(pass, {{.first = {l.fc_proj, inner}, .y = x, .bias = &l.fc_proj_bias, .add = true}});
    probe(pass, "h.{}", i, x);
  }
  return true;
}

uint64_t Gpt2::read_bytes() const {
  int64_t bytes = head_.weight.bytes();
  for (const Layer& l : layers_) {
    for (const Matrix& m : {l.attn, l.proj, l.fc, l.fc_proj}) bytes += m.bytes();
  }
  return static_cast<uint64_t>(bytes);
}

}  // namespace

std::unique_ptr<Architecture> make_gpt2(const ModelFile& file) {
  return std::make_unique<Gpt2>(read_config(*file.config, file.config_source(), /*tied_by_default=*/true));
}

}  // namespace gptj
