#include "model/ops.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>

#include "base/trace.h"

namespace gptj {
namespace {

/// out = row `index` of the table, or out += it if `add`. The 16 rows of its panel are interleaved and unpacked
/// together.
void copy_table_row(const Pass& pass, const Matrix& table, int index, bool add, float* out) noexcept {
  alignas(64) float slab[kSlab * kPanelRows];
  const uint8_t* panel = table.panel(index / kPanelRows);
  for (int begin = 0; begin < table.n; begin += kSlab) {
    const int end = std::min(table.n, begin + kSlab);
    pass.kernels.formats[static_cast<int>(table.dtype)].unpack(panel, begin, end, slab);
    for (int k = begin; k < end; ++k) {
      const float value = slab[(k - begin) * kPanelRows + index % kPanelRows];
      out[k] = add ? out[k] + value : value;
    }
  }
}

/// Bytes of an output's first weights that a thread takes at a time, if these are more panels than kernels compute
/// together: enough that memory is read in long streams, few enough that threads end together.
constexpr int64_t kGrainBytes = 640 << 10;

class LinearPass {
 public:
  LinearPass(const Pass& pass, std::initializer_list<Linear> outputs) : pass_(pass), outputs_(outputs) {
    for (const Linear& output : outputs_) {
      n_panels_ += output.first.w.n_panels();
      bytes_ += output.first.w.bytes();
      at_once_ = std::max<int64_t>(at_once_, product_of(output.first.w).n_panels);
      prepare(output.first);
      if (output.second != nullptr) prepare(*output.second);
    }
  }

  void run() {
    pass_.pool.parallel_for(n_panels_, grain(), [this](int64_t begin, int64_t end, int thread) {
      const trace::Scope scope("linear");
      panels(begin, end, thread);
    });
  }

 private:
  /// An input, packed as a product takes it.
  struct Input {
    const float* x;
    Operand operand;
    const uint8_t* data;
    int64_t stride;  // bytes
  };

  /// Panels that a thread takes at a time: an odd number of times what kernels compute together for one column, whose
  /// streams are that number of panels apart. Where that is an even number of pages, memory can be a tenth slower.
  int64_t grain() const {
    const int64_t by_bytes = kGrainBytes * n_panels_ / std::max<int64_t>(1, bytes_);
    const int64_t fair = std::max<int64_t>(1, n_panels_ / (4 * pass_.pool.n_threads()));
    const int64_t steps = std::min(by_bytes, fair) / at_once_;
    return steps > 0 ? ((steps - 1) | 1) * at_once_ : std::min(at_once_, fair);
  }

  const Product& product_of(const Matrix& w) const {
    const FormatKernels& format = pass_.kernels.formats[static_cast<int>(w.dtype)];
    return format.products[static_cast<int>(pass_.arithmetic)];
  }

  const Input* find(const Rows& x, Operand operand) const {
    return std::find_if(inputs_, inputs_ + n_inputs_,
                        [&](const Input& input) { return input.x == x.data && input.operand == operand; });
  }

  /// Packs an input once, however many outputs share it.
  void prepare(const Linear::Term& term) {
    const Rows& x = term.x;
    const Operand operand = product_of(term.w).operand;
    if (operand == Operand::f32 || find(x, operand) != inputs_ + n_inputs_) return;
    assert(n_inputs_ < kInputs);
    const int64_t stride = operand_stride(operand, x.n);
    uint8_t* to = pass_.scratch.operands[n_inputs_];
    inputs_[n_inputs_++] = {x.data, operand, to, stride};
    const auto pack = pass_.kernels.pack[static_cast<int>(operand)];
    pass_.pool.parallel_for(x.rows, 1, [&](int64_t begin, int64_t end, int) {
      const trace::Scope scope("pack");
      for (int64_t row = begin; row < end; ++row) pack(x.row(row), x.n, static_cast<int>(row), to);
    });
  }

  /// Panels [begin, end), counted through all outputs.
  void panels(int64_t begin, int64_t end, int thread) const noexcept {
    for (const Linear& output : outputs_) {
      const int64_t n = output.first.w.n_panels();
      if (begin < n && end > 0) panels_of(output, std::max<int64_t>(0, begin), std::min(n, end), thread);
      begin -= n;
      end -= n;
    }
  }

  void panels_of(const Linear& output, int64_t begin, int64_t end, int thread) const noexcept {
    const int64_t first = begin * kPanelRows;
    const int64_t n = (end - begin) * kPanelRows;
    MatmulArgs args{};
    args.n_panels = static_cast<int>(end - begin);
    args.n_columns = output.y.rows;
    args.y = output.y.data + first;
    args.y_stride = output.y.stride;
    args.scratch = reinterpret_cast<uint8_t*>(pass_.scratch.of_thread(thread));
    args.add = output.add;
    if (output.bias != nullptr) args.bias = output.bias->data + first;
    multiply(output.first, begin, args);
    if (output.second != nullptr) {
      args.add = true;
      args.bias = nullptr;
      multiply(*output.second, begin, args);
    }
    if (output.activation == nullptr) return;
    const auto activate = pass_.kernels.activations[static_cast<int>(*output.activation)];
    for (int row = 0; row < output.y.rows; ++row) activate(output.y.row(row) + first, static_cast<int>(n));
  }

  /// Completes the arguments by a term's panels from `begin` and its input.
  void multiply(const Linear::Term& term, int64_t begin, MatmulArgs args) const noexcept {
    const auto& [w, x] = term;
    const Product& kernel = product_of(w);
    args.panels = w.panel(begin);
    args.panel_stride = w.panel_stride();
    args.n = w.n;
    if (kernel.operand == Operand::f32) {
      args.x = reinterpret_cast<const uint8_t*>(x.data);
      args.x_stride = x.stride * static_cast<int64_t>(sizeof(float));
    } else {
      const Input& input = *find(x, kernel.operand);
      args.x = input.data;
      args.x_stride = input.stride;
    }
    kernel.matmul(args);
  }

  static constexpr int kInputs = 2;

  const Pass& pass_;
  const std::initializer_list<Linear> outputs_;
  int64_t n_panels_ = 0;
  int64_t bytes_ = 0;    // of first terms
  int64_t at_once_ = 1;  // panels that kernels compute together
  Input inputs_[kInputs] = {};
  int n_inputs_ = 0;
};

void show_inputs(const Pass& pass, std::initializer_list<Linear> outputs) {
  for (const Linear& output : outputs) {
    (*pass.inputs)(output.first.w, output.first.x);
    if (output.second != nullptr) (*pass.inputs)(output.second->w, output.second->x);
  }
}

/// Queries, keys and values of one token's head.
struct Qkv {
  float* q;
  float* k;
  const float* v;
};

Qkv qkv_of(const Pass& pass, const AttentionSpec& spec, int token, int head) {
  float* q = pass.scratch.qkv.row(token) + head * spec.head_dim;
  return {q, q + spec.step, q + 2 * spec.step};
}

/// Heads that lie side by side.
struct Heads {
  int first, n;
};

/// Some heads' attention for the tokens of a run, the first of which is the pass's token `first`.
void attend(const Pass& pass, const AttentionSpec& spec, const Heads& heads, const TokenRun& run, int first,
            float* scratch) noexcept {
  const int n_past = pass.kv.n_past(run.sequence);
  for (int head = heads.first; head < heads.first + heads.n; ++head) {
    const KvHead kv = pass.kv.head(spec.layer, head, run.sequence);
    for (int i = 0; i < run.n_tokens; ++i) {
      const Qkv at = qkv_of(pass, spec, first + i, head);
      const int position = n_past + i;
      if (spec.n_rot > 0) {
        const float* angles = pass.cos_sin + int64_t{position} * spec.n_rot;
        pass.kernels.rotate(at.q, angles, spec.n_rot);
        pass.kernels.rotate(at.k, angles, spec.n_rot);
      }
      pass.kv_kernels.store(kv, position, at.k, at.v, spec.head_dim);
    }
  }
  pass.kv_kernels.attention[static_cast<int>(pass.arithmetic)](
      {.kv = pass.kv.head(spec.layer, heads.first, run.sequence),
       .n_heads = heads.n,
       .head_dim = spec.head_dim,
       .scale = spec.scale,
       .q = qkv_of(pass, spec, first, heads.first).q,
       .q_stride = pass.scratch.qkv.stride,
       .n_queries = run.n_tokens,
       .n_past = n_past,
       .n_common = pass.prefix_lm ? n_past + run.n_tokens : 0,
       .out = pass.scratch.mixed.row(first) + heads.first * spec.head_dim,
       .out_stride = pass.scratch.mixed.stride,
       .scratch = scratch});
}

/// Heads that a thread takes at a time. Few queries wait for memory, which is read fastest where it lies side by side;
/// many are bound by arithmetic, and threads end together if they take one head after the other.
int64_t heads_at_once(const Pass& pass, int n_head) {
  constexpr int kFewTokens = 16;
  const bool few = std::all_of(pass.runs.begin(), pass.runs.end(),
                               [](const TokenRun& run) { return run.n_tokens <= kFewTokens; });
  return few ? std::max(1, n_head / (2 * pass.pool.n_threads())) : 1;
}

}  // namespace

void embed(const Pass& pass, const Matrix& table, std::span<const int> indices, const Rows& out) {
  pass.pool.parallel_for(out.rows, 1, [&](int64_t begin, int64_t end, int) {
    const trace::Scope scope("embed");
    for (int64_t t = begin; t < end; ++t) {
      copy_table_row(pass, table, indices[static_cast<size_t>(t)], false, out.row(t));
    }
  });
}

void add_positions(const Pass& pass, const Matrix& table, const Rows& out) {
  int first = 0;
  for (const TokenRun& run : pass.runs) {
    const int n_past = pass.kv.n_past(run.sequence);
    pass.pool.parallel_for(run.n_tokens, 1, [&](int64_t begin, int64_t end, int) {
      const trace::Scope scope("embed");
      for (int64_t i = begin; i < end; ++i) {
        copy_table_row(pass, table, n_past + static_cast<int>(i), true, out.row(first + i));
      }
    });
    first += run.n_tokens;
  }
}

void layer_norm(const Pass& pass, const Norm& norm, float eps, const Rows& in, const Rows& out) {
  pass.pool.parallel_for(in.rows, 1, [&](int64_t begin, int64_t end, int) {
    const trace::Scope scope("layer_norm");
    for (int64_t t = begin; t < end; ++t) {
      pass.kernels.layer_norm(in.row(t), norm.gain.data, norm.bias.data, in.n, eps, out.row(t));
    }
  });
}

void linear(const Pass& pass, std::initializer_list<Linear> outputs) {
  if (pass.inputs != nullptr) show_inputs(pass, outputs);
  LinearPass(pass, outputs).run();
}

void attention(const Pass& pass, const AttentionSpec& spec) {
  const int64_t grain = heads_at_once(pass, spec.n_head);
  pass.pool.parallel_for(spec.n_head, grain, [&](int64_t begin, int64_t end, int thread) {
    const trace::Scope scope("attention");
    const Heads heads{static_cast<int>(begin), static_cast<int>(end - begin)};
    // Texts that share keys and values follow each other, so that memory is read once for all of them.
    int first = 0;
    for (const TokenRun& run : pass.runs) {
      attend(pass, spec, heads, run, first, pass.scratch.of_thread(thread));
      first += run.n_tokens;
    }
  });
}

void shift_tokens(const Pass& pass, const Config& config, int sequence, int begin, int end, int by) {
  const int64_t n_heads = int64_t{config.n_layer} * config.n_head;
  pass.pool.parallel_for(n_heads, 1, [&](int64_t first, int64_t last, int thread) {
    float* const key = pass.scratch.of_thread(thread);
    float* const value = key + round_up(config.head_dim(), kPanelRows);
    float* const back = value + round_up(config.head_dim(), kPanelRows);
    const float* const angles = pass.cos_sin + int64_t{by} * config.n_rot;
    for (int i = 0; i < config.n_rot; ++i) back[i] = i % 2 == 0 ? angles[i] : -angles[i];
    for (int64_t i = first; i < last; ++i) {
      const KvHead kv =
          pass.kv.head(static_cast<int>(i / config.n_head), static_cast<int>(i % config.n_head), sequence);
      for (int token = begin; token < end; ++token) {
        pass.kv_kernels.load(kv, token, key, value, config.head_dim());
        pass.kernels.rotate(key, back, config.n_rot);
        pass.kv_kernels.store(kv, token - by, key, value, config.head_dim());
      }
    }
  });
}

void rotary_angles(int n_ctx, int n_rot, float* cos_sin) {
  for (int i = 0; i < n_rot; i += 2) {
    const float frequency = 1.0f / std::pow(10000.0f, static_cast<float>(i) / static_cast<float>(n_rot));
    for (int position = 0; position < n_ctx; ++position) {
      const float angle = static_cast<float>(position) * frequency;
      float* to = cos_sin + int64_t{position} * n_rot + i;
      to[0] = std::cos(angle);
      to[1] = std::sin(angle);
    }
  }
}

void probe(const Pass& pass, std::string_view name, int layer, const Rows& rows) {
  if (pass.probe != nullptr) (*pass.probe)(fmt::format(fmt::runtime(name), layer), rows);
}

}  // namespace gptj
