#pragma once

#include <vector>

#include "gptj/generate.h"
#include "terminal/log.h"

/// What the program says beside the text, in the lines that scripts know from ggml's examples.
namespace gptj::apps {

void report_prompt(const std::vector<int>& ids, const Tokenizer& tokenizer, const Log& log);

/// Why the text ended, unless by its length or the end-of-text token.
void report_end(const GenerateResult& result, const GenerateOptions& options, const Log& log);

void report_times(const GenerateResult& result, double load_ms, const Log& log);

/// How fast memory was read while generating: each token reads all weights once, and the keys and values of
/// the tokens before it. To be compared with what the machine can do.
void report_reading(const GenerateResult& result, const ModelInfo& info, uint64_t kv_bytes_per_token,
                    const Log& log);

}  // namespace gptj::apps
