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

/// All memory of a session. The options of these functions are resolved().
struct SessionBuffers {
  KvCache kv;
  Scratch scratch;
};

/// Takes it from the arena, which may only be counting.
SessionBuffers lay_out(Arena& arena, const Config& config, const SessionOptions& options);

/// The bytes that lay_out() takes.
size_t session_bytes(const Config& config, const SessionOptions& options);

}  // namespace gptj
