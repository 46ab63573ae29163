#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "gptj/tokenizer.h"

namespace gptj {

struct Automaton;

/// What a text may be: a context-free grammar over bytes (UTF-8). Const after construction; may be shared by threads,
/// and copies are cheap. docs/grammars.md describes the three languages.
class Grammar {
 public:
  /// llama.cpp's dialect of GBNF; the text is what `root` derives. Throws Error, naming line and column.
  static Grammar gbnf(std::string_view text);

  /// JSON that a JSON Schema allows. Throws Error, naming line and column of bad JSON, or the path (#/properties/a)
  /// of what is not supported or cannot be.
  static Grammar json_schema(std::string_view schema);

  /// Texts that a regular expression matches as a whole. Throws Error, naming the column.
  static Grammar regex(std::string_view pattern);

 private:
  friend class GrammarMatcher;
  explicit Grammar(Automaton automaton);

  std::shared_ptr<const Automaton> automaton_;
};

/// A vocabulary, prepared for grammars. Making it takes some milliseconds, once for all texts:
/// Model::grammar_vocabulary(). Const after construction; may be shared by threads, and copies are cheap. Does not
/// need the tokenizer once it is made.
class GrammarVocabulary {
 public:
  /// `n_vocab` is the number of logits, which may exceed that of the tokenizer's tokens.
  GrammarVocabulary(const Tokenizer& tokenizer, int n_vocab);

 private:
  friend class GrammarMatcher;
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

/// Follows one text through a grammar, token by token. One thread at a time.
class GrammarMatcher {
 public:
  /// Throws Error when no text can be written with this vocabulary.
  GrammarMatcher(const Grammar& grammar, const GrammarVocabulary& vocabulary);
  GrammarMatcher(GrammarMatcher&&) noexcept;
  GrammarMatcher& operator=(GrammarMatcher&&) noexcept;
  ~GrammarMatcher();

  /// A bit mask of the tokens that may come next: bit id % 64 of word id / 64. The end-of-text token's bit says
  /// whether the text may end here. Valid until the next call. Never all zero, except when must_end() and the
  /// vocabulary has no end-of-text token. Throws Error if no token is left because too many rules (4,000) are open.
  std::span<const uint64_t> allowed();

  /// Whether the token may come next: faster than the mask of all.
  bool allows(int id);

  /// Throws Error, and changes nothing, if the token is not allowed. After the end-of-text token only itself is
  /// allowed.
  void accept(int id);

  /// mark() remembers this place in the text; rewind() goes back to it, as if nothing had been accepted since.
  void mark();
  void rewind();

  bool may_end() const;   // the text so far is whole
  bool must_end() const;  // whole, and nothing can follow

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gptj
