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

struct GrammarMatcher::Impl {
  using State = LazyAutomaton::State;
  static constexpr size_t kMaxMasks = 1024;  // 6 MB for GPT-J's vocabulary

  Impl(std::shared_ptr<const Automaton> grammar, const Tokenizer& tokenizer, int n_vocab)
      : automaton(std::move(grammar)),
        lazy(*automaton),
        trie(tokenizer, n_vocab),
        eos(tokenizer.eos().value_or(-1)),
        n_words((static_cast<size_t>(n_vocab) + 63) / 64),
        state(lazy.start()) {
    assert(n_vocab > 0);
    if (eos >= n_vocab) eos = -1;
    path.resize(trie.longest() + 1);
  }

  const Mask& mask();
  Mask make_mask();
  void forget(size_t n_path);

  std::shared_ptr<const Automaton> automaton;
  LazyAutomaton lazy;
  TokenTrie trie;
  int eos;  // -1: none
  size_t n_words;
  State state;
  std::unordered_map<State, Mask> masks;  // of states seen before
  std::vector<State> path;                // after each byte of a token
};

void GrammarMatcher::Impl::forget(size_t n_path) {
  masks.clear();
  lazy.keep(std::span(path).first(n_path));
  state = path[0];
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

GrammarMatcher::GrammarMatcher(const Grammar& grammar, const Tokenizer& tokenizer, int n_vocab)
    : impl_(std::make_unique<Impl>(grammar.automaton_, tokenizer, n_vocab)) {
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
        "grammar "
        "wants, or more than {} rules are open",
        LazyAutomaton::kMaxDepth);
  }
  return mask;
}

void GrammarMatcher::accept(int id) {
  Impl& impl = *impl_;
  if (id >= 0 && id == impl.eos && may_end()) {
    impl.state = LazyAutomaton::kEnd;
    return;
  }
  const std::string_view bytes = impl.trie.bytes(id);
  LazyAutomaton::State to = bytes.empty() ? LazyAutomaton::kDead : impl.state;
  for (const char c : bytes) {
    if (to != LazyAutomaton::kDead) to = impl.lazy.next(to, static_cast<uint8_t>(c));
  }
  if (to == LazyAutomaton::kDead) {
    fail("grammar: expected a token that it allows here, found {} ({})", id, quoted(bytes));
  }
  impl.path[0] = impl.state = to;
  if (impl.lazy.is_full()) impl.forget(1);
}

bool GrammarMatcher::may_end() const {
  return impl_->lazy.may_end(impl_->state);
}

bool GrammarMatcher::must_end() const {
  return may_end() && !impl_->lazy.can_go_on(impl_->state);
}

}  // namespace gptj
