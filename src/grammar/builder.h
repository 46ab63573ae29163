#pragma once

#include <map>
#include <string>
#include <vector>

#include "grammar/automaton.h"
#include "grammar/rules.h"

namespace gptj {

/// Turns rules into states and edges, after K. Thompson, "Regular expression search algorithm" (1968). No edge leads
/// back to the state where an expression begins, unless it also ends there, so that neighbours can share states.
class Builder {
 public:
  /// Throws Error if there are more than kMaxGrammarSize edges.
  explicit Builder(const Rules& rules);

  std::vector<Edge> take_edges() { return std::move(edges_); }
  uint32_t n_states() const { return n_states_; }
  const std::vector<uint32_t>& starts() const { return starts_; }
  const std::vector<uint32_t>& ends() const { return ends_; }

 private:
  using Runs = std::vector<std::string>;  // see utf8_ranges()

  uint32_t state() { return n_states_++; }
  void edge(Edge edge);
  void epsilon(uint32_t from, uint32_t to) { edge({.from = from, .to = to}); }
  void build(const Expr& expr, uint32_t from, uint32_t to);
  void build_bytes(const std::string& text, uint32_t from, uint32_t to);
  void build_choice(const std::vector<Expr>& parts, uint32_t from, uint32_t to);
  void build_repeat(const Expr& expr, uint32_t from, uint32_t to);
  void build_runs(const Runs& runs, uint32_t from, uint32_t to, std::map<Runs, uint32_t>& known);

  const Rules& rules_;
  std::vector<Edge> edges_;
  std::vector<uint32_t> starts_, ends_;  // of each rule
  uint32_t n_states_ = 0;
};

}  // namespace gptj
