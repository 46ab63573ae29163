#include "engine/session_memory.h"

#include <algorithm>

#include "base/error.h"
#include "base/thread_count.h"

namespace gptj {

SessionOptions resolved(SessionOptions options, int model_n_ctx) {
  constexpr int kMaxSequences = 1024;
  if (options.n_ctx == 0) options.n_ctx = model_n_ctx;
  if (options.n_ctx < 1 || options.n_ctx > model_n_ctx) {
    fail("context size: expected 1 to {} tokens, the model's, found {}", model_n_ctx, options.n_ctx);
  }
  options.n_threads = thread_count(options.n_threads);
  if (options.n_batch < 1) fail("batch size: expected at least 1 token, found {}", options.n_batch);
  if (options.n_sequences < 1 || options.n_sequences > kMaxSequences) {
    fail("sequences: expected 1 to {}, found {}", kMaxSequences, options.n_sequences);
  }
  options.n_batch = std::min(options.n_batch, std::max(options.n_ctx, options.n_sequences));
  return options;
}

int logit_rows(const SessionOptions& options) {
  return std::min(options.n_batch, 32);
}

SessionBuffers::SessionBuffers(Arena& arena, const Config& config, const SessionOptions& options)
    : kv(arena, config, options.n_ctx, options.n_sequences, options.kv_type),
      cos_sin(arena.take<float>(int64_t{options.n_ctx} * config.n_rot)) {}

Scratch take_scratch(Arena& arena, const Config& config, const SessionOptions& options, int n_tokens) {
  return {arena, config, n_tokens, logit_rows(options), options.n_threads};
}

size_t session_bytes(const Config& config, const SessionOptions& options) {
  Arena measure;
  SessionBuffers(measure, config, options);
  take_scratch(measure, config, options, options.n_batch);
  return measure.used();
}

SessionMemory session_memory(const ModelInfo& model, const SessionOptions& options) {
  const SessionOptions all = resolved(options, model.n_ctx);
  Config config;
  config.n_vocab = model.n_vocab;
  config.n_embd = model.n_embd;
  config.n_head = model.n_head;
  config.n_layer = model.n_layer;
  config.n_inner = model.n_inner;
  config.n_rot = model.n_rot;
  Arena kv;
  KvCache(kv, config, all.n_ctx, all.n_sequences, all.kv_type);
  return {kv.used(), session_bytes(config, all) - kv.used()};
}

}  // namespace gptj
