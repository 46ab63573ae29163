// GPT-J (Wang and Komatsuzaki 2021): attention and feed-forward in parallel on the same normalised input,
// rotary positions on the first n_rot dimensions of each head. CodeGen (Nijkamp et al. 2022) is the same model; its
// files keep queries, keys and values in one matrix.

#include "base/error.h"
#include "model/architecture.h"
#include "model/ops.h"

namespace gptj {
namespace {

class GptJ : public Architecture {
 public:
  GptJ(const Config& config, int qkv_groups)
      : Architecture(config), qkv_groups_(qkv_groups), layers_(static_cast<size_t>(config.n_layer)) {}

  void bind(Binder& binder) override;
  bool forward(const Pass& pass, const Cancelled& cancelled) const override;
  uint64_t read_bytes() const override;

 private:
  const LmHead& head() const override { return head_; }
  struct Layer {
    Norm ln_1;
    Matrix q, k, v, out;  // [n_embd, n_embd]
    Matrix fc_in;         // [n_inner, n_embd]
    Matrix fc_out;        // [n_embd, n_inner]
    Vector fc_in_bias, fc_out_bias;
  };

  void bind_qkv(Binder& binder, int layer);

  const int qkv_groups_;  // groups of heads in files' fused matrix of queries, values, keys; 0: there is none
  Matrix wte_;            // [n_vocab, n_embd]
  std::vector<Layer> layers_;
  LmHead head_;
};

/// ggml files have the very names of Hugging Face's checkpoints.
TensorName name(std::string_view ggml, std::string_view gguf) {
  constexpr std::string_view kPrefix = "transformer.";
  return {ggml.starts_with(kPrefix) ? ggml.substr(kPrefix.size()) : ggml, ggml, gguf};
}

void GptJ::bind_qkv(Binder& binder, int layer) {
  const int n = config_.n_embd;
  Layer& l = layers_[static_cast<size_t>(layer)];
  struct Part {
    Matrix& to;
    TensorName name;
    int place;  // in each group of the fused matrix
  };
  const Part parts[] = {{l.q, name("transformer.h.{}.attn.q_proj.weight", "blk.{}.attn_q.weight"), 0},
                        {l.k, name("transformer.h.{}.attn.k_proj.weight", "blk.{}.attn_k.weight"), 2},
                        {l.v, name("transformer.h.{}.attn.v_proj.weight", "blk.{}.attn_v.weight"), 1}};
  for (const auto& [to, part, place] : parts) {
    if (qkv_groups_ == 0) {
      binder.matrix(to, part, n, n, layer);
      continue;
    }
    const int64_t block = n / qkv_groups_;
    const RowBlocks rows{place * block, block, 3 * block};
    binder.matrix(to, part, n, n, layer, {name("transformer.h.{}.attn.qkv_proj.weight", ""), 3 * n, rows});
  }
}

void GptJ::bind(Binder& binder) {
  const Config& c = config_;
  const TensorName wte = name("transformer.wte.weight", "token_embd.weight");
  binder.matrix(wte_, wte, c.n_vocab, c.n_embd);
  for (int i = 0; i < c.n_layer; ++i) {
    Layer& layer = layers_[static_cast<size_t>(i)];
    binder.vector(layer.ln_1.gain, name("transformer.h.{}.ln_1.weight", "blk.{}.attn_norm.weight"), c.n_embd,
                  i);
    binder.vector(layer.ln_1.bias, name("transformer.h.{}.ln_1.bias", "blk.{}.attn_norm.bias"), c.n_embd, i);
    bind_qkv(binder, i);
    binder.matrix(layer.out, name("transformer.h.{}.attn.out_proj.weight", "blk.{}.attn_output.weight"),
                  c.n_embd, c.n_embd, i);
    binder.matrix(layer.fc_in, name("transformer.h.{}.mlp.fc_in.weight", "blk.{}.ffn_up.weight"), c.n_inner,
                  c.n_embd, i);
    binder.vector(layer.fc_in_bias, name("transformer.h.{}.mlp.fc_in.bias", "blk.{}.ffn_up.bias"), c.n_inner,
                  i);
    binder.matrix(layer.fc_out, name("transformer.h.{}.mlp.fc_out.weight", "blk.{}.ffn_down.weight"),
                  c.n_embd, c.n_inner, i);
    binder.vector(layer.fc_out_bias, name("transformer.h.{}.mlp.fc_out.bias", "blk.{}.ffn_down.bias"),
                  c.n_embd, i);
  }
  binder.vector(head_.norm.gain, name("transformer.ln_f.weight", "output_norm.weight"), c.n_embd);
  binder.vector(head_.norm.bias, name("transformer.ln_f.bias", "output_norm.bias"), c.n_embd);
  // A tied head still has a bias of its own.
  const TensorName head = name("lm_head.weight", "output.weight");
  binder.matrix(head_.weight, c.tied && !binder.has(head) ? wte : head, c.n_vocab, c.n_embd);
  binder.optional_vector(head_.bias, name("lm_head.bias", "output.bias"), c.n_vocab);
}

bool GptJ::forward(const Pass& pass, const Cancelled& cancelled) const {
  const Config& c = config_;
  const int n = pass.n_tokens();
  const int64_t step = round_up(c.n_embd, kPanelRows);
  const Rows x = pass.scratch.hidden.slice(0, n);
  const Rows normed = pass.scratch.normed.slice(0, n);
  const Rows mixed = pass.scratch.mixed.slice(0, n);
  const Rows inner = pass.scratch.inner.slice(0, n);
  const auto qkv = [&](int part) {
    const Rows& all = pass.scratch.qkv;
    return Rows{all.data + part * step, n, c.n_embd, all.stride};
  };

  embed(pass, wte_, pass.ids, x);
  probe(pass, "embed", x);
  for (int i = 0; i < c.n_layer; ++i) {
    if (cancelled && cancelled()) return false;
    const Layer& layer = layers_[static_cast<size_t>(i)];
    layer_norm(pass, layer.ln_1, c.layer_norm_eps, x, normed);
    probe(pass, "h.{}.ln_1", i, normed);
    linear(pass, {{.first = {layer.q, normed}, .y = qkv(0)},
                  {.first = {layer.k, normed}, .y = qkv(1)},
                  {.first = {layer.v, normed}, .y = qkv(2)},
                  {.first = {layer.fc_in, normed},
                   .y = inner,
                   .bias = &layer.fc_in_bias,
                   .activation = &c.activation}});
    probe(pass, "h.{}.attn.q_proj", i, qkv(0));
    probe(pass, "h.{}.attn.k_proj", i, qkv(1));
    probe(pass, "h.{}.attn.v_proj", i, qkv(2));
    probe(pass, "h.{}.mlp.act", i, inner);
    attention(pass, {.layer = i,
                     .n_head = c.n_head,
                     .head_dim = c.head_dim(),
                     .step = step,
                     .n_rot = c.n_rot,
                     .scale = c.attention_scale(i)});
    probe(pass, "h.{}.attn.out_proj.input", i, mixed);
    const Linear::Term feed_forward{layer.fc_out, inner};
    linear(pass, {{.first = {layer.out, mixed},
                   .y = x,
                   .bias = &layer.fc_out_bias,
                   .second = &feed_forward,
                   .add = true}});
    probe(pass, "h.{}", i, x);
  }
  return true;
}

uint64_t GptJ::read_bytes() const {
  int64_t bytes = head_.weight.bytes();
  for (const Layer& l : layers_) {
    for (const Matrix& m : {l.q, l.k, l.v, l.out, l.fc_in, l.fc_out}) bytes += m.bytes();
  }
  return static_cast<uint64_t>(bytes);
}

Config read_gptj_config(const ModelFile& file) {
  Config config = read_config(*file.config, file.config_source(), /*tied_by_default=*/false);
  const int rotary_default = 64;
  config.n_rot =
      config_int(*file.config, file.config_source(), "rotary_dim", 1, config.head_dim(), &rotary_default);
  if (config.n_rot % 2 != 0 || config.n_rot > config.head_dim()) {
    fail("{}: rotary_dim: expected an even number up to the head's size {}, found {}",
         quoted(file.config_source()), config.head_dim(), config.n_rot);
  }
  // These two are GPT-2's; GPT-J's attention knows neither.
  config.scale_attn_weights = true;
  config.scale_attn_by_inverse_layer_idx = false;
  return config;
}

}  // namespace

std::unique_ptr<Architecture> make_gptj(const ModelFile& file) {
  return std::make_unique<GptJ>(read_gptj_config(file), /*qkv_groups=*/0);
}

std::unique_ptr<Architecture> make_codegen(const ModelFile& file) {
  constexpr int kGroups = 4;  // the cores of the TPUs that trained it, whatever the model's size
  const Config config = read_gptj_config(file);
  if (config.n_head % kGroups != 0) {
    fail("{}: n_head: expected a multiple of {}, the groups of heads in qkv_proj, found {}",
         quoted(file.config_source()), kGroups, config.n_head);
  }
  return std::make_unique<GptJ>(config, kGroups);
}

}  // namespace gptj
