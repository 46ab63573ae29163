#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "gptj/session.h"
#include "gptj/tokenizer.h"

namespace gptj {

/// Tokens of a context and of what continues it: at least one of each.
struct EncodedPair {
  std::vector<int> context, continuation;
};

/// Encodes both as lm-evaluation-harness does (TemplateLM._encode_pair): white space at the end of the context is
/// moved to the continuation; the continuation's tokens are those of both texts together, without as many as the
/// context alone has. A context that is empty then becomes the end-of-text token. Throws Error if the continuation
/// has no token, or if the end-of-text token is needed and the vocabulary has none.
EncodedPair encode_pair(const Tokenizer& tokenizer, std::string_view context, std::string_view continuation);

struct Score {
  double log_likelihood = 0;  // of all tokens of the continuation after the context, in nats
  bool is_greedy = false;     // greedy decoding would have written the continuation
  int n_tokens = 0;           // of the continuation
  int n_cut = 0;              // tokens that were cut off the beginning of the context
};

/// How likely a continuation is after its context. What the context has in common with the session's tokens is not
/// evaluated again, so several continuations can be scored one after the other. (Tokens that came by decode() may
/// differ in the last bits.) A context that is too long loses its beginning, as in lm-evaluation-harness; the
/// continuation is never cut. Throws Error if that alone has more than session.n_ctx() tokens. The session must not
/// be one with prefix_lm.
Score score(Session& session, const EncodedPair& pair);

}  // namespace gptj
