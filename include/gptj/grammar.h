#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "gptj/tokenizer.h"

namespace gptj {

struct Automaton;

/// What a text may be: a context-free grammar over bytes (UTF-8). Const after construction; may be shared by
/// threads, and copies are cheap. docs/grammars.md has the three languages.
class Grammar {
 public:
  /// llama.cpp's dialect of GBNF; the text is what `root` derives. Throws Error, naming line and column.
  static Grammar gbnf(std::string_view text);

  /// JSON that a JSON Schema allows. Throws Error, naming line and column of bad JSON, or the path (#/properties/a) of what
  /// is not supported or cannot be.
  static Grammar json_schema(std::string_view schema);

  /// Texts that a regular expression matches as a whole. Throws Error, naming the column.
  static Grammar regex(std::string_view pattern);

 private:
  friend class GrammarMatcher;
  explicit Grammar(Automaton automaton);

  std::shared_ptr<const Automaton> automaton_;
};

/// The tokens of which texts are made, as grammars look at them. Takes some milliseconds to make: do so once for all texts
/// (Model::grammar_vocabulary()). Const after construction; may be shared by threads, and copies are cheap. Independent of the
/// tokenizer once it is made.
class GrammarVocabulary {
 public:
  /// n_vocab: logits, may exceed the tokenizer's tokens.
  GrammarVocabulary(const Tokenizer& tokenizer, int n_vocab);

 private:
  friend class GrammarMatcher;
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

/// A text that follows a grammar, token by token. Made once per text. One thread at a time.
class GrammarMatcher {
 public:
  /// Throws Error when no text can be written with this vocabulary.
  GrammarMatcher(const Grammar& grammar, const GrammarVocabulary& vocabulary);
  GrammarMatcher(GrammarMatcher&&) noexcept;
  GrammarMatcher& operator=(GrammarMatcher&&) noexcept;
  ~GrammarMatcher();

  /// Bit id % 64 of word id / 64: the token may come next. The end-of-text token's bit: the text may end here. Valid until
  /// the next call. Never all zero as long as only allowed tokens were accepted, but for a vocabulary without an end-of-text
  /// token when must_end(). Throws Error where rules are open so deep (4,000) that no token is left.
  std::span<const uint64_t> allowed();

  /// Whether the token may come next: sooner known than the mask of all.
  bool allows(int id);

  /// Throws Error, and changes nothing, if the token is not allowed. After the end-of-text token only that is allowed.
  void accept(int id);

  /// Remembers this place of the text, and goes back to it: what was accepted since then was only tried.
  void mark();
  void rewind();

  bool may_end() const;   // the text so far is whole
  bool must_end() const;  // whole, and nothing can follow

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gptj
