#include "model/loaded_model.h"

#include "kernels/cpu.h"
#include "model/ops.h"

namespace gptj::test {
namespace {

std::vector<float> compact(const Rows& rows) {
  std::vector<float> out;
  for (int t = 0; t < rows.rows; ++t) out.insert(out.end(), rows.row(t), rows.row(t) + rows.n);
  return out;
}

struct Memory {
  KvCache kv;
  float* cos_sin;
  Scratch scratch;
};

Memory lay_out(Arena& arena, const Config& config, int n_tokens, int n_threads, KvType kv_type) {
  return {KvCache(arena, config, n_tokens, /*n_sequences=*/1, kv_type),
          arena.take<float>(int64_t{n_tokens} * config.n_rot),
          Scratch(arena, config, n_tokens, n_tokens, n_threads)};
}

}  // namespace

LoadedModel::LoadedModel(const std::string& path, int n_threads)
    : file_(open_model_file(path)), pool_(n_threads), architecture_(make_architecture(file_)) {
  Binder binder(file_);
  architecture_->bind(binder);
  binder.check_unused(config().n_layer);
  weight_bytes_ = loaded_bytes(binder);
  weights_ = load_weights(binder, pool_, {});
}

Intermediates LoadedModel::evaluate(const std::vector<int>& ids, const Precision& precision) {
  const auto n = static_cast<int>(ids.size());
  Arena measure;
  lay_out(measure, config(), n, pool_.n_threads(), precision.kv_type);
  Arena arena(measure.used(), "a test");
  const Memory memory = lay_out(arena, config(), n, pool_.n_threads(), precision.kv_type);
  rotary_angles(n, config().n_rot, memory.cos_sin);

  Intermediates seen;
  const std::function<void(std::string_view, const Rows&)> probe =
      [&](std::string_view name, const Rows& rows) { seen[std::string(name)] = compact(rows); };
  const Kernels& table = kernels();
  KvSequences sequences(memory.kv, n, 1);
  sequences.own(0, 0, n);
  const TokenRun run{0, n};
  const Pass pass{.pool = pool_,
                  .kernels = table,
                  .kv_kernels = table.kv[static_cast<int>(precision.kv_type)],
                  .kv = sequences,
                  .cos_sin = memory.cos_sin,
                  .scratch = memory.scratch,
                  .arithmetic = precision.arithmetic,
                  .ids = ids,
                  .runs = {&run, 1},
                  .probe = &probe};
  architecture_->forward(pass);
  architecture_->logits(pass, 0, n);
  seen["logits"] = compact(memory.scratch.logits.slice(0, n));
  return seen;
}

}  // namespace gptj::test
