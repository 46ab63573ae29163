#pragma once

#include <functional>
#include <span>
#include <vector>

#include "gptj/generate.h"

namespace gptj {

/// When a search ends, at n_predict tokens at the latest.
enum class EarlyStopping {
  no,  // when n_beams texts have ended and the best of the others, with its present score, would not be among them
  yes,    // when n_beams texts have ended
  never,  // as `no`, but with the score at its greatest length for a text that may gain by getting longer
};
inline constexpr const char* kEarlyStoppingNames[] = {"false", "true", "never"};  // index: EarlyStopping

struct BeamOptions {
  int n_beams = 4;            // texts that are followed; the session has at least as many sequences
  int n_best = 1;             // texts to return, at most n_beams
  int n_predict = 200;        // tokens to add at most; -1: until the context is full
  int end_token = -1;         // ends a text, usually the tokenizer's end-of-text token; -1: none does
  int banned_token = -1;      // never taken
  double length_penalty = 1;  // above 0: longer texts are preferred, below: shorter ones; finite
  EarlyStopping early_stopping = EarlyStopping::no;
};

struct Beam {
  std::vector<int> tokens;  // that follow the prompt, end_token included
  double score = 0;         // sum of their log-probabilities (nats) / (their number ^ length_penalty)
  StopReason reason = StopReason::length;  // length, end_of_text, context_full or cancelled
};

struct BeamResult {
  std::vector<Beam> beams;  // n_best, the best first; fewer if it was cancelled
  double prompt_ms = 0;
  double generate_ms = 0;  // evaluating and comparing
  int n_evaluated = 0;     // generated tokens, of all beams
};

/// Beam search for the likeliest texts that follow a prompt: n_beams texts grow together, and of all their
/// continuations by one token the likeliest n_beams are followed. As `generate(num_beams=n_beams, do_sample=False)`
/// of Hugging Face transformers 5 does it: lengths are those of the answers, the token that ends one included. What
/// the session held is forgotten. Throws Error if an option is out of range or the prompt does not fit the context.
BeamResult search_beams(const Model& model, Session& session, std::span<const int> prompt,
                        const BeamOptions& options, const std::function<bool()>& cancelled = {});

}  // namespace gptj
