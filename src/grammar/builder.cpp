#include "grammar/builder.h"

#include <algorithm>
#include <array>

#include "base/error.h"

namespace gptj {

namespace {

[[noreturn]] void fail_size(const Rules& rules) {
  fail("{}: expands to more than {} transitions; write smaller repetitions", rules.source, kMaxGrammarSize);
}

bool is_text(const Expr& part) {
  return part.kind == Expr::Kind::bytes && !part.bytes.empty();
}

/// Texts that begin with the same byte, as their common beginning followed by a choice.
Expr factored(const std::vector<Expr>& texts) {
  std::string common = texts.front().bytes;
  for (const Expr& text : texts) {
    const auto end = std::mismatch(common.begin(), common.end(), text.bytes.begin(), text.bytes.end()).first;
    common.erase(end, common.end());
  }
  std::vector<Expr> tails;
  for (const Expr& text : texts) tails.push_back(bytes(text.bytes.substr(common.size())));
  const size_t n = tails.size();
  Expr tail = n == 1 ? std::move(tails.front()) : choice(std::move(tails));
  return sequence({bytes(std::move(common)), std::move(tail)});
}

}  // namespace

Builder::Builder(const Rules& rules) : rules_(rules) {
  uint64_t size = 0;
  for (const Rule& rule : rules.rules) size += rule.expr.size;
  if (size > kMaxGrammarSize) fail_size(rules);
  for (size_t i = 0; i < rules.rules.size(); ++i) {
    starts_.push_back(state());
    ends_.push_back(state());
  }
  for (size_t i = 0; i < rules.rules.size(); ++i) build(rules.rules[i].expr, starts_[i], ends_[i]);
}

void Builder::edge(Edge edge) {
  if (edges_.size() >= kMaxGrammarSize) fail_size(rules_);
  edges_.push_back(edge);
}

void Builder::build(const Expr& expr, uint32_t from, uint32_t to) {
  switch (expr.kind) {
    case Expr::Kind::bytes:
      return build_bytes(expr.bytes, from, to);
    case Expr::Kind::chars: {
      std::map<Runs, uint32_t> known;
      return build_runs(utf8_ranges(expr.chars), from, to, known);
    }
    case Expr::Kind::sequence: {
      for (const Expr& part : expr.parts) {
        const uint32_t next = state();
        build(part, from, next);
        from = next;
      }
      return epsilon(from, to);
    }
    case Expr::Kind::choice:
      return build_choice(expr.parts, from, to);
    case Expr::Kind::repeat:
      return build_repeat(expr, from, to);
    case Expr::Kind::rule:
      return edge({.from = from, .to = to, .rule = expr.rule, .kind = Edge::Kind::call});
  }
}

void Builder::build_bytes(const std::string& text, uint32_t from, uint32_t to) {
  for (const char c : text) {
    const uint32_t next = state();
    const auto byte = static_cast<uint8_t>(c);
    edge({.from = from, .to = next, .first = byte, .last = byte, .kind = Edge::Kind::bytes});
    from = next;
  }
  epsilon(from, to);
}

/// Texts are grouped by their first byte: a word of a thousand is found by one edge for each byte, not by trying all.
void Builder::build_choice(const std::vector<Expr>& parts, uint32_t from, uint32_t to) {
  std::array<std::vector<Expr>, 256> texts;  // by their first byte
  for (const Expr& part : parts) {
    if (is_text(part)) {
      texts[static_cast<unsigned char>(part.bytes.front())].push_back(part);
    } else {
      build(part, from, to);
    }
  }
  for (const auto& alike : texts) {
    if (!alike.empty()) build(factored(alike), from, to);
  }
}

void Builder::build_repeat(const Expr& expr, uint32_t from, uint32_t to) {
  const Expr& part = expr.parts.front();
  for (uint32_t i = 0; i < expr.min; ++i) {
    const uint32_t next = state();
    build(part, from, next);
    from = next;
  }
  if (expr.max == Expr::kUnbounded) {
    const uint32_t loop = state();
    epsilon(from, loop);
    build(part, loop, loop);
    from = loop;
  } else {
    for (uint32_t i = expr.min; i < expr.max; ++i) {
      const uint32_t next = state();
      epsilon(from, to);
      build(part, from, next);
      from = next;
    }
  }
  epsilon(from, to);
}

/// Runs that go on alike after their first byte share what follows.
void Builder::build_runs(const Runs& runs, uint32_t from, uint32_t to, std::map<Runs, uint32_t>& known) {
  for (size_t i = 0; i < runs.size();) {
    const std::string range = runs[i].substr(0, 2);
    Runs rest;
    for (; i < runs.size() && runs[i].compare(0, 2, range) == 0; ++i) rest.push_back(runs[i].substr(2));
    uint32_t next = to;
    if (!rest.front().empty()) {
      const auto [found, is_new] = known.try_emplace(rest, n_states_);
      next = found->second;
      if (is_new) build_runs(rest, state(), to, known);
    }
    edge({.from = from,
          .to = next,
          .first = static_cast<uint8_t>(range[0]),
          .last = static_cast<uint8_t>(range[1]),
          .kind = Edge::Kind::bytes});
  }
}

}  // namespace gptj
