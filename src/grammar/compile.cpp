#include "grammar/compile.h"

#include <algorithm>
#include <bitset>
#include <utility>

#include "base/error.h"
#include "grammar/analysis.h"
#include "grammar/builder.h"

namespace gptj {

namespace {

/// Where an edge to each state leads in the end, when states that only pass on are skipped.
std::vector<uint32_t> destinations(const Automaton& automaton) {
  std::vector<uint32_t> to(automaton.n_states());
  for (uint32_t state = 0; state < to.size(); ++state) {
    to[state] = state;
    for (uint32_t steps = 0; steps < 64; ++steps) {  // a loop of empty repetitions has no end
      const auto edges = automaton.edges_of(to[state]);
      if (automaton.final[to[state]] || edges.size() != 1 || edges[0].kind != Edge::Kind::epsilon) break;
      to[state] = edges[0].to;
    }
  }
  return to;
}

void index_edges(Automaton& automaton) {
  std::stable_sort(automaton.edges.begin(), automaton.edges.end(),
                   [](const Edge& a, const Edge& b) { return a.from < b.from; });
  automaton.first_edge.assign(automaton.n_states() + 1, 0);
  for (const Edge& edge : automaton.edges) ++automaton.first_edge[edge.from + 1];
  for (size_t i = 1; i < automaton.first_edge.size(); ++i) {
    automaton.first_edge[i] += automaton.first_edge[i - 1];
  }
}

void find_classes(Automaton& automaton) {
  std::bitset<257> begins;
  begins[0] = true;
  for (const Edge& edge : automaton.edges) {
    if (edge.kind != Edge::Kind::bytes) continue;
    begins[edge.first] = true;
    begins[edge.last + size_t{1}] = true;
  }
  for (size_t byte = 0; byte < 256; ++byte) {
    if (begins[byte]) automaton.classes.push_back(static_cast<uint8_t>(byte));
    automaton.class_of[byte] = static_cast<uint8_t>(automaton.classes.size() - 1);
  }
}

/// Removes edges from which no end can be reached.
void prune(const Rules& rules, const Builder& builder, std::vector<Edge>& edges) {
  const auto& starts = builder.starts();
  const std::vector<bool> useful =
      reach_an_end(edges, builder.n_states(), starts, builder.ends(), [](const Edge&) { return true; });
  for (size_t i = 0; i < starts.size(); ++i) {
    const Rule& rule = rules.rules[i];
    if (useful[starts[i]] || (i > 0 && !rules.every_rule_must_end)) continue;
    fail("{}: {}: {} derives no text: each of its alternatives is impossible or has no end", rules.source,
         rule.where, quoted(rule.name));
  }
  std::erase_if(edges, [&](const Edge& edge) {
    const bool endless = edge.kind == Edge::Kind::call && !useful[starts[edge.rule]];
    return endless || !useful[edge.to];
  });
}

[[noreturn]] void fail_left_recursion(const Rules& rules, const std::vector<uint32_t>& cycle) {
  constexpr size_t kShown = 200;  // bytes: a message is a short line
  std::string names;
  size_t n = 0;
  while (n < cycle.size() && names.size() < kShown) names += quoted(rules.rules[cycle[n++]].name) + " -> ";
  if (n < cycle.size()) names += "... -> ";
  const Rule& first = rules.rules[cycle.front()];
  fail("{}: {}: left recursion, {}{}: a rule may use itself only behind something else", rules.source,
       first.where, names, quoted(first.name));
}

}  // namespace

Automaton compile(const Rules& rules) {
  Builder builder(rules);
  Automaton automaton;
  automaton.edges = builder.take_edges();
  automaton.starts = builder.starts();
  automaton.final.resize(builder.n_states());
  for (const uint32_t end : builder.ends()) automaton.final[end] = true;
  prune(rules, builder, automaton.edges);
  index_edges(automaton);

  const std::vector<bool> nullable =
      reach_an_end(automaton.edges, builder.n_states(), builder.starts(), builder.ends(),
                   [](const Edge& edge) { return edge.kind != Edge::Kind::bytes; });
  if (const auto cycle = left_recursion(automaton, nullable)) fail_left_recursion(rules, *cycle);

  const std::vector<uint32_t> to = destinations(automaton);
  for (Edge& edge : automaton.edges) edge.to = to[edge.to];
  find_classes(automaton);
  return automaton;
}

}  // namespace gptj
