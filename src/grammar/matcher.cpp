#include <algorithm>
#include <cassert>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/error.h"
#include "gptj/grammar.h"
#include "grammar/lazy_automaton.h"
#include "grammar/token_trie.h"

namespace gptj {

namespace {

using Mask = std::vector<uint64_t>;

void allow(Mask& mask, int id) {
  mask[static_cast<size_t>(id) / 64] |= uint64_t{1} << (static_cast<size_t>(id) % 64);
}

}  // namespace

struct GrammarVocabulary::Impl {
  TokenTrie trie;
  int eos;  // -1: none
  int n_vocab;
};

GrammarVocabulary::GrammarVocabulary(const Tokenizer& tokenizer, int n_vocab) {
  assert(n_vocab > 0);
  const int eos = tokenizer.eos().value_or(-1);
  impl_ =
      std::make_shared<const Impl>(Impl{TokenTrie(tokenizer, n_vocab), eos < n_vocab ? eos : -1, n_vocab});
}

struct GrammarMatcher::Impl {
  using State = LazyAutomaton::State;
  static constexpr size_t kMaxMasks = 1024;  // 6 MB for GPT-J's vocabulary

  Impl(std::shared_ptr<const Automaton> grammar, std::shared_ptr<const GrammarVocabulary::Impl> tokens)
      : automaton(std::move(grammar)),
        lazy(*automaton),
        vocabulary(std::move(tokens)),
        trie(vocabulary->trie),
        eos(vocabulary->eos),
        n_words((static_cast<size_t>(vocabulary->n_vocab) + 63) / 64),
        state(lazy.start()),
        marked(state),
        path(trie.longest() + 2) {}

  /// kDead: the token is not allowed.
  State after(int id);
  const Mask& mask();
  Mask make_mask();
  void forget(size_t n_path);

  std::shared_ptr<const Automaton> automaton;
  LazyAutomaton lazy;
  std::shared_ptr<const GrammarVocabulary::Impl> vocabulary;
  const TokenTrie& trie;
  const int eos;  // -1: none
  const size_t n_words;
  State state, marked;
  std::unordered_map<State, Mask> masks;  // of states seen before
  std::vector<State> path;                // after each byte of a token; room for one more
};

GrammarMatcher::Impl::State GrammarMatcher::Impl::after(int id) {
  if (id >= 0 && id == eos && lazy.may_end(state)) return LazyAutomaton::kEnd;
  const std::string_view bytes = trie.bytes(id);
  State to = bytes.empty() ? LazyAutomaton::kDead : state;
  for (const char c : bytes) {
    if (to != LazyAutomaton::kDead) to = lazy.next(to, static_cast<uint8_t>(c));
  }
  return to;
}

void GrammarMatcher::Impl::forget(size_t n_path) {
  masks.clear();
  path[n_path] = marked;
  lazy.keep(std::span(path).first(n_path + 1));
  state = path[0];
  marked = path[n_path];
}

const Mask& GrammarMatcher::Impl::mask() {
  if (const auto found = masks.find(state); found != masks.end()) return found->second;
  if (masks.size() >= kMaxMasks) masks.clear();
  Mask made = make_mask();  // may give the state another number
  return masks[state] = std::move(made);
}

Mask GrammarMatcher::Impl::make_mask() {
  Mask mask(n_words);
  if (eos >= 0 && lazy.may_end(state)) allow(mask, eos);
  path[0] = state;
  for (uint32_t i = 0; i < trie.n_nodes();) {
    const TokenTrie::Node& node = trie.node(i);
    const State to = lazy.next(path[node.depth], node.byte);
    if (to == LazyAutomaton::kDead) {
      i = node.end;
      continue;
    }
    path[node.depth + 1] = to;
    if (lazy.is_full()) forget(node.depth + 2);
    for (const int id : trie.ids(i)) allow(mask, id);
    ++i;
  }
  return mask;
}

GrammarMatcher::GrammarMatcher(const Grammar& grammar, const GrammarVocabulary& vocabulary)
    : impl_(std::make_unique<Impl>(grammar.automaton_, vocabulary.impl_)) {
  allowed();
}
GrammarMatcher::GrammarMatcher(GrammarMatcher&&) noexcept = default;
GrammarMatcher& GrammarMatcher::operator=(GrammarMatcher&&) noexcept = default;
GrammarMatcher::~GrammarMatcher() = default;

std::span<const uint64_t> GrammarMatcher::allowed() {
  const Mask& mask = impl_->mask();
  const bool none = std::all_of(mask.begin(), mask.end(), [](uint64_t word) { return word == 0; });
  if (none && !must_end()) {
    fail(
        "grammar: expected a token that continues the text, found none: the vocabulary lacks bytes that the "
        "grammar wants, or more than {} rules are open",
        LazyAutomaton::kMaxDepth);
  }
  return mask;
}

bool GrammarMatcher::allows(int id) {
  return impl_->after(id) != LazyAutomaton::kDead;
}

void GrammarMatcher::accept(int id) {
  Impl& impl = *impl_;
  const LazyAutomaton::State to = impl.after(id);
  if (to == LazyAutomaton::kDead) {
    fail("grammar: expected a token that it allows here, found {} ({})", id, quoted(impl.trie.bytes(id)));
  }
  impl.path[0] = impl.state = to;
  if (impl.lazy.is_full()) impl.forget(1);
}

void GrammarMatcher::mark() {
  impl_->marked = impl_->state;
}

void GrammarMatcher::rewind() {
  impl_->state = impl_->marked;
}

bool GrammarMatcher::may_end() const {
  return impl_->lazy.may_end(impl_->state);
}

bool GrammarMatcher::must_end() const {
  return may_end() && !impl_->lazy.can_go_on(impl_->state);
}

}  // namespace gptj
