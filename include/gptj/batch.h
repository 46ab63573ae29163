#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "gptj/generate.h"

namespace gptj {

/// One of several texts that are continued together.
struct BatchText {
  std::vector<int> prompt;
  SamplerOptions sampling = {};
  /// max_seconds counts from when its prompt's turn comes; `continues` and `prompt_logits` have no meaning here.
  GenerateOptions options = {};
};

struct BatchResult {
  std::string error = {};  // why there is no text; empty: there is
  /// The bytes that follow the prompt, without a stop text. May begin or end inside a UTF-8 character.
  std::string text = {};
  GenerateResult details = {};  // generate_ms is its share of the passes that it was in
};

struct BatchCallbacks {
  /// Each text once, in their order, as soon as it and all before it have ended.
  std::function<void(size_t index, const BatchResult& result)> done;
  /// Each token that was drawn for a text, and the logits [n_vocab] that it was drawn from.
  std::function<void(size_t index, int id, std::span<const float> logits)> token = {};
  /// Asked before each layer of a prompt and each token. Once it says so, texts that have begun end, and no others begin.
  std::function<bool()> cancelled = {};
};

/// Continues many texts, as many at a time as the session has sequences, all of them in one pass per token. Where one ends,
/// the next takes its place. What a prompt has in common with prompts that the session holds is not evaluated again; texts with
/// the same prompt, one after the other, share it. Each text is the one that generate() makes of it in a new session.
/// What the session held before is forgotten. What is wrong with a text is its result; other Errors are thrown.
void generate_batch(const Model& model, Session& session, std::span<const BatchText> texts,
                    const BatchCallbacks& callbacks);

}  // namespace gptj
