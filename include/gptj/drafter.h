#pragma once

#include <memory>
#include <span>

#include "gptj/generate.h"

namespace gptj {

/// Guesses how a text goes on. Several guesses are evaluated in one pass, which takes little longer than one token does,
/// and those that the sampler draws itself count (speculative decoding, arXiv:2211.17192). So the text is the same with
/// any drafter as without: the sampler draws every token, from the same logits with the same random number. In the
/// paper's terms guess and draw are coupled by common random numbers, as in arXiv:2408.07978.
class Drafter {
 public:
  virtual ~Drafter() = default;

  /// Reads what it has not seen of the text. Called before it is to guess, so that a guess's time is that of guessing alone.
  virtual void read(std::span<const int> /*text*/) {}

  /// At most `n_max` tokens that may follow `text`; valid until the next call. `grammar` (may be null) has accepted the
  /// text; it may be advanced, for the caller rewinds it. Tokens that it forbids are not worth guessing.
  virtual std::span<const int> guess(std::span<const int> text, int n_max, GrammarMatcher* grammar) = 0;
};

/// What followed the last few tokens where they stood in the text before (prompt lookup): for texts that copy.
class LookupDrafter : public Drafter {
 public:
  std::span<const int> guess(std::span<const int> text, int n_max, GrammarMatcher* grammar) override;
};

/// A smaller model with the same vocabulary.
class ModelDrafter : public Drafter {
 public:
  /// `sampling` is the text's. The model must outlive it, and have passed check_same_vocabulary().
  ModelDrafter(const Model& model, const SessionOptions& session, const SamplerOptions& sampling);
  ~ModelDrafter() override;

  void read(std::span<const int> text) override;
  std::span<const int> guess(std::span<const int> text, int n_max, GrammarMatcher* grammar) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Throws Error with the first difference, if tokens of the same id do not mean the same in a model and its draft.
void check_same_vocabulary(const ModelInfo& model, const Tokenizer& of_model, const ModelInfo& draft,
                           const Tokenizer& of_draft);

}  // namespace gptj
