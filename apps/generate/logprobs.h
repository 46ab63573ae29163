#pragma once

#include <span>
#include <string>

#include "gptj/tokenizer.h"

namespace gptj::apps {

/// JSON lines that tell of each token how likely it was, and what else was likely there: of the model, whatever the sampler
/// made of it.
class LogprobLines {
 public:
  /// `n_top` of the likeliest tokens beside each; at least 0. The tokenizer must outlive it.
  LogprobLines(const Tokenizer& tokenizer, int n_top) : tokenizer_(tokenizer), n_top_(n_top) {}

  /// {"id":7,"text":" int","logprob":-1.5,"top":[{"id":7,"text":" int","logprob":-1.5}, ...]} and a newline: a token, and
  /// the logits [n_vocab] that it was drawn from, or that a prompt's token might have been drawn from. No logits: the
  /// first token of a text, of which no model says anything: "logprob" is null, "top" empty. A token that is no
  /// UTF-8 also has "bytes":[195].
  std::string line(int id, std::span<const float> logits) const;

 private:
  const Tokenizer& tokenizer_;
  int n_top_;
};

}  // namespace gptj::apps
