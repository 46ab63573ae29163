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

/// As lm-evaluation-harness encodes them (TemplateLM._encode_pair): white space that ends the context begins the continuation
/// instead; the continuation is what the tokens of both together have after as many as the context alone has. A context
/// that is empty then is the end-of-text token. Throws Error if the continuation has no token, or the vocabulary no
/// end-of-text token where it is needed.
EncodedPair encode_pair(const Tokenizer& tokenizer, std::string_view context, std::string_view continuation);

struct Score {
  double log_likelihood = 0;  // of all the continuation's tokens after the context, nats
  bool is_greedy = false;     // greedy decoding would have written the continuation
  int n_tokens = 0;           // of the continuation
  int n_cut = 0;              // tokens at the context's beginning that had no room
};

/// How likely a continuation is after its context. What the context has in common with the session's tokens, which may be all of
/// it, is not evaluated again: one continuation may follow the other. (Tokens that came by decode() may differ in the last
/// bits.) Of a context that is too long the beginning is cut off, as lm-evaluation-harness does; the continuation never.
/// Throws Error if that alone has more than session.n_ctx() tokens. The session must not be one with prefix_lm.
Score score(Session& session, const EncodedPair& pair);

}  // namespace gptj
