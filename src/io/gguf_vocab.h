#pragma once

#include "io/gguf_metadata.h"
#include "text/vocab.h"

namespace gptj {

/// The tokens of GGUF's `tokenizer.ggml.token_type`.
enum class GgufTokenType : int32_t { normal = 1, unknown, control, user_defined, unused, byte };

/// The vocabulary in a GGUF file, which must be GPT-2's byte-level BPE. Throws Error naming the key.
Vocab read_gguf_vocab(const GgufMetadata& metadata);

}  // namespace gptj
