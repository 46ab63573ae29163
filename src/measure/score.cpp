#include "gptj/score.h"

#include <algorithm>
#include <cassert>

#include "base/error.h"
#include "engine/common_beginning.h"
#include "gptj/log_softmax.h"
#include "text/unicode.h"

namespace gptj {
namespace {

/// Whether Python's str.rstrip() removes a character: \s, and ASCII's four separators.
bool is_python_space(int32_t c) {
  constexpr int32_t kFileSeparator = 0x1c, kUnitSeparator = 0x1f;
  return char_class(c) == CharClass::space || (kFileSeparator <= c && c <= kUnitSeparator);
}

/// Where the white space at the end of a text begins.
size_t trailing_space(std::string_view text) {
  size_t end = text.size();
  while (end > 0) {
    const Char c = char_before(text, end);
    if (!is_python_space(c.code_point)) break;
    end -= c.size;
  }
  return end;
}

}  // namespace

EncodedPair encode_pair(const Tokenizer& tokenizer, std::string_view context, std::string_view continuation) {
  EncodedPair pair;
  std::vector<int> whole = tokenizer.encode(std::string(context) + std::string(continuation));
  pair.context = tokenizer.encode(context.substr(0, trailing_space(context)));
  const size_t n_context = std::min(pair.context.size(), whole.size());
  pair.continuation.assign(whole.begin() + static_cast<ptrdiff_t>(n_context), whole.end());
  if (pair.continuation.empty()) {
    fail("continuation: expected at least one token beyond the context's {}, found none",
         pair.context.size());
  }
  if (pair.context.empty()) {
    if (!tokenizer.eos()) fail("expected a context, found none, and no end-of-text token to begin with");
    pair.context = {*tokenizer.eos()};
  }
  return pair;
}

Score score(Session& session, const EncodedPair& pair) {
  const auto n_ctx = static_cast<size_t>(session.n_ctx());
  const size_t n_continuation = pair.continuation.size();
  assert(!pair.context.empty() && n_continuation > 0 && !session.prefix_lm());
  if (n_continuation > n_ctx) {
    fail("continuation: expected at most {} tokens, the context's size, found {}", n_ctx, n_continuation);
  }
  std::vector<int> tokens = pair.context;
  // Nothing follows the last token, so it need not be evaluated.
  tokens.insert(tokens.end(), pair.continuation.begin(), pair.continuation.end() - 1);
  const size_t n_cut = tokens.size() - std::min(tokens.size(), n_ctx);
  const std::span all = std::span<const int>(tokens).subspan(n_cut);

  // The context's last token is evaluated with the continuation, whose first token its logits predict.
  const std::span before = all.first(all.size() - n_continuation);
  const size_t n_kept = common_beginning(session.tokens(), before);
  session.truncate(static_cast<int>(n_kept));
  if (n_kept < before.size()) session.prefill(before.subspan(n_kept));
  Score result{
      .is_greedy = true, .n_tokens = static_cast<int>(n_continuation), .n_cut = static_cast<int>(n_cut)};
  session.prefill_each(all.subspan(before.size()), [&](int index, std::span<const float> logits) {
    const int id = pair.continuation[static_cast<size_t>(index)];
    if (id < 0 || id >= std::ssize(logits)) {
      fail("token id: expected 0 to {}, found {}", logits.size() - 1, id);
    }
    result.log_likelihood += log_likelihood(logits, id);
    result.is_greedy = result.is_greedy && most_likely(logits) == id;
  });
  return result;
}

}  // namespace gptj
