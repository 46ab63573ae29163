#pragma once

#include <memory>
#include <span>

#include "gptj/generate.h"

namespace gptj {

/// Guesses how a text goes on (speculative decoding, arXiv:2211.17192). Several guesses are evaluated in one pass,
/// which takes little longer than one token does, and those count that the sampler draws itself. So the text is the
/// same with any drafter as without: the sampler draws every token, from the same logits with the same random number.
/// In the paper's terms, guess and draw are coupled by common random numbers, as in arXiv:2408.07978.
class Drafter {
 public:
  virtual ~Drafter() = default;

  /// Reads what it has not yet seen of the text. Called before guess(), so that this time is not counted as the time
  /// of a guess.
  virtual void read(std::span<const int> /*text*/) {}

  /// At most `n_max` tokens that may follow `text`, or none; valid until the next call. `grammar` (null: there is
  /// none) has accepted the text. It may be asked, and may accept guesses: the caller rewinds it. Guesses that it
  /// forbids are useless.
  virtual std::span<const int> guess(std::span<const int> text, int n_max, GrammarMatcher* grammar) = 0;
};

/// Guesses what followed the last few tokens where they stood earlier in the text (prompt lookup): for texts that copy.
class LookupDrafter : public Drafter {
 public:
  std::span<const int> guess(std::span<const int> text, int n_max, GrammarMatcher* grammar) override;
};

/// Guesses with a smaller model of the same vocabulary.
class ModelDrafter : public Drafter {
 public:
  /// `sampling` are the text's options. The model must outlive it, and have passed check_same_vocabulary(). Throws
  /// Error as Session and Sampler do.
  ModelDrafter(const Model& model, const SessionOptions& session, const SamplerOptions& sampling);
  ~ModelDrafter() override;

  void read(std::span<const int> text) override;
  std::span<const int> guess(std::span<const int> text, int n_max, GrammarMatcher* grammar) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Throws Error, naming the first difference, if some id does not mean the same token in a model and in its draft
/// model, or if the draft has more tokens.
void check_same_vocabulary(const ModelInfo& model, const Tokenizer& of_model, const ModelInfo& draft,
                           const Tokenizer& of_draft);

}  // namespace gptj
