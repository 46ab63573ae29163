#pragma once

#include <functional>
#include <span>
#include <vector>

#include "gptj/generate.h"

namespace gptj {

/// When a search ends, beside at n_predict tokens: as soon as n_beams texts have ended and ...
enum class EarlyStopping {
  no,   // ... no other, if it ended now, would be among the best n_beams
  yes,  // (no more than that)
  never,  // ... no other can get among them; its score is then taken at the greatest length, if longer is better
};
inline constexpr const char* kEarlyStoppingNames[] = {"false", "true", "never"};  // index: EarlyStopping

struct BeamOptions {
  int n_beams = 4;            // texts that are followed; the session has at least so many sequences
  int n_best = 1;             // of these, that are wanted
  int n_predict = 200;        // tokens to add at most; -1: until the context is full
  int end_token = -1;         // ends a text: the tokenizer's end of text, most likely; -1: none does
  int banned_token = -1;      // never taken
  double length_penalty = 1;  // above 0: longer texts are preferred, below: shorter ones
  EarlyStopping early_stopping = EarlyStopping::no;
};

struct Beam {
  std::vector<int> tokens;  // that follow the prompt, end_token included
  double score = 0;         // the sum of their log probabilities / (their number ^ length_penalty)
  StopReason reason = StopReason::length;  // length, end_of_text, context_full or cancelled
};

struct BeamResult {
  std::vector<Beam> beams;  // n_best, the best first; fewer if it was cancelled
  double prompt_ms = 0;
  double generate_ms = 0;  // evaluating and comparing
  int n_evaluated = 0;     // generated tokens, of all beams
};

/// The likeliest texts that follow a prompt, of those that beam search sees: n_beams texts grow together, and of all that
/// they can become with one token more the likeliest n_beams are followed. As `generate(num_beams=n_beams,
/// do_sample=False)` of Hugging Face transformers 5 does it: lengths are those of the answers, the token that ends one included.
/// What the session held is forgotten. Throws Error if an option is out of range or the prompt does not fit.
BeamResult search_beams(const Model& model, Session& session, std::span<const int> prompt,
                        const BeamOptions& options, const std::function<bool()>& cancelled = {});

}  // namespace gptj
