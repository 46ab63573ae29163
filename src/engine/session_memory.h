#pragma once

#include "gptj/session.h"
#include "model/pass.h"

/// What a session takes when it opens: its options with their defaults, and the layout of its memory.
namespace gptj {

/// The options with their defaults filled in. Throws Error for what cannot be.
SessionOptions resolved(SessionOptions options, int model_n_ctx);

/// Rows of logits that are made at a time where those of every token are wanted: enough to use the weights well, few
/// beside the other buffers.
int logit_rows(const SessionOptions& options);

/// What keeps its place while a session is open. The options of these functions are resolved(), the arena may only be
/// counting.
struct SessionBuffers {
  SessionBuffers(Arena& arena, const Config& config, const SessionOptions& options);

  KvCache kv;
  float* cos_sin;  // [n_ctx, n_rot], see rotary_angles()
};

/// For a pass of `n_tokens`. Few tokens lie close together, however many there could be: the system clears memory, the
/// first time that it is used, by pages of up to 2 MB.
Scratch take_scratch(Arena& arena, const Config& config, const SessionOptions& options, int n_tokens);

/// The bytes of all that a session takes.
size_t session_bytes(const Config& config, const SessionOptions& options);

}  // namespace gptj
