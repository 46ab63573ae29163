#include "gptj/drafter.h"

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "base/quoted.h"
#include "engine/common_beginning.h"

namespace gptj {
namespace {

/// The number of tokens that the ends of two texts have in common, up to kEnough: longer ends predict no better.
int common_end(std::span<const int> a, std::span<const int> b) {
  constexpr size_t kEnough = 12;
  const size_t most = std::min({a.size(), b.size(), kEnough});
  size_t n = 0;
  while (n < most && a[a.size() - 1 - n] == b[b.size() - 1 - n]) ++n;
  return static_cast<int>(n);
}

}  // namespace

std::span<const int> LookupDrafter::guess(std::span<const int> text, int n_max, GrammarMatcher*) {
  constexpr int kLeast = 2;  // a single token is followed by anything
  size_t best = 0;
  int longest = kLeast - 1;
  for (size_t end = text.size() - std::min<size_t>(1, text.size()); end > 0; --end) {  // the latest first
    const int alike = common_end(text.first(end), text);
    if (alike > longest) longest = alike, best = end;
  }
  if (best == 0) return {};
  const std::span<const int> followed = text.subspan(best);
  return followed.first(std::min(followed.size(), static_cast<size_t>(n_max)));
}

struct ModelDrafter::Impl {
  /// Draws as the text's sampler will; -1: no token that this model knows may come.
  int draw(std::span<const float> logits, GrammarMatcher* grammar) {
    if (grammar == nullptr) return sampler.sample(logits, context);
    constexpr size_t kBits = 64;
    const auto known = grammar->allowed().first((logits.size() + kBits - 1) / kBits);
    const int id = sampler.sample(logits, context, known);
    if (id >= std::ssize(logits) || !grammar->allows(id)) return -1;
    grammar->accept(id);
    return id;
  }

  /// What the session lacks of a text, at least its last token. It forgets what is not part of the text.
  std::span<const int> missing(std::span<const int> text) {
    session.truncate(static_cast<int>(std::min(common_beginning(session.tokens(), text), text.size() - 1)));
    return text.subspan(static_cast<size_t>(session.n_past()));
  }

  /// The draft may have less context, and less padding in its vocabulary.
  bool can_read(std::span<const int> text, std::span<const int> missing_of_it) const {
    const auto is_unknown = [this](int id) { return id >= model.info().n_vocab; };
    return text.size() <= static_cast<size_t>(session.n_ctx()) &&
           std::none_of(missing_of_it.begin(), missing_of_it.end(), is_unknown);
  }

  const Model& model;
  Session session;
  Sampler sampler;
  std::vector<int> context;  // the text and the guesses
};

ModelDrafter::ModelDrafter(const Model& model, const SessionOptions& session, const SamplerOptions& sampling)
    : impl_(std::make_unique<Impl>(Impl{
          model, Session(model, session), Sampler(sampling, model.tokenizer(), model.info().n_vocab), {}})) {}

ModelDrafter::~ModelDrafter() = default;

void ModelDrafter::read(std::span<const int> text) {
  constexpr size_t kFew = 16;  // guess() evaluates them in one pass with the last one
  const std::span<const int> missing = impl_->missing(text);
  if (missing.size() <= kFew || !impl_->can_read(text, missing)) return;
  impl_->session.prefill(missing.first(missing.size() - 1));
}

std::span<const int> ModelDrafter::guess(std::span<const int> text, int n_max, GrammarMatcher* grammar) {
  auto& [model, session, sampler, context] = *impl_;
  n_max = std::min(n_max, session.n_ctx() - static_cast<int>(text.size()) + 1);
  if (n_max <= 0) return {};
  const std::span<const int> missing = impl_->missing(text);
  if (!impl_->can_read(text, missing)) return {};
  context.assign(text.begin(), text.end());
  std::span<const float> logits = missing.size() == 1 ? session.decode(missing[0]) : session.prefill(missing);
  for (;;) {
    const int id = impl_->draw(logits, grammar);
    if (id >= 0) context.push_back(id);
    const std::span<const int> guesses = std::span(context).subspan(text.size());
    const bool ends = id < 0 || id == model.tokenizer().eos() || (grammar != nullptr && grammar->must_end());
    if (ends || guesses.size() == static_cast<size_t>(n_max)) return guesses;
    logits = session.decode(id);
  }
}

void check_same_vocabulary(const ModelInfo& model, const Tokenizer& of_model, const ModelInfo& draft,
                           const Tokenizer& of_draft) {
  for (int id = 0; id < std::min(of_model.n_tokens(), of_draft.n_tokens()); ++id) {
    if (of_model.decode(id) == of_draft.decode(id)) continue;
    fail("draft model {}: expected the vocabulary of {}, found another: token {} is {}, not {}",
         quoted(draft.path), quoted(model.path), id, quoted(of_draft.decode(id)),
         quoted(of_model.decode(id)));
  }
  if (draft.n_vocab > model.n_vocab) {
    fail("draft model {}: expected at most {} tokens, as {} has, found {}", quoted(draft.path), model.n_vocab,
         quoted(model.path), draft.n_vocab);
  }
}

}  // namespace gptj
