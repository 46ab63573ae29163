#include "grammar/analysis.h"

#include <algorithm>
#include <utility>

namespace gptj {

namespace {

/// Finds numbers 0, 1, ... by a key: the edges that lead to a state, or those that call a rule.
class Index {
 public:
  template <typename Key>
  Index(size_t n_keys, size_t n, const Key& key) : first_(n_keys + 1), items_(n) {
    for (size_t i = 0; i < n; ++i) ++first_[key(i)];
    for (size_t k = 1; k < first_.size(); ++k) first_[k] += first_[k - 1];
    for (size_t i = n; i-- > 0;) items_[--first_[key(i)]] = static_cast<uint32_t>(i);
  }
  std::span<const uint32_t> operator[](size_t key) const {
    return std::span(items_).subspan(first_[key], first_[key + 1] - first_[key]);
  }

 private:
  std::vector<uint32_t> first_, items_;
};

/// The rules that a rule can begin with.
std::vector<uint32_t> left_calls(const Automaton& automaton, const std::vector<bool>& nullable, uint32_t rule,
                                 std::vector<uint32_t>& seen_for) {
  std::vector<uint32_t> called, todo{automaton.starts[rule]};
  while (!todo.empty()) {
    const uint32_t state = todo.back();
    todo.pop_back();
    if (std::exchange(seen_for[state], rule) == rule) continue;
    for (const Edge& edge : automaton.edges_of(state)) {
      if (edge.kind == Edge::Kind::bytes) continue;
      if (edge.kind == Edge::Kind::call) called.push_back(edge.rule);
      if (edge.kind == Edge::Kind::epsilon || nullable[automaton.starts[edge.rule]]) todo.push_back(edge.to);
    }
  }
  return called;
}

}  // namespace

std::vector<bool> reach_an_end(const std::vector<Edge>& edges, uint32_t n_states,
                               const std::vector<uint32_t>& starts, const std::vector<uint32_t>& ends,
                               bool (*usable)(const Edge&)) {
  const Index into(n_states, edges.size(), [&](size_t i) { return edges[i].to; });
  const Index calls(starts.size() + 1, edges.size(), [&](size_t i) {
    return edges[i].kind == Edge::Kind::call ? edges[i].rule : starts.size();
  });
  std::vector<uint32_t> rule_of(n_states, static_cast<uint32_t>(starts.size()));
  for (size_t i = 0; i < starts.size(); ++i) rule_of[starts[i]] = static_cast<uint32_t>(i);

  std::vector<bool> reaches(n_states);
  std::vector<uint32_t> todo;
  const auto mark = [&](uint32_t state) {
    if (!reaches[state]) todo.push_back(state);
    reaches[state] = true;
  };
  const auto follow = [&](const Edge& edge) {
    const bool done = edge.kind != Edge::Kind::call || reaches[starts[edge.rule]];
    if (usable(edge) && done && reaches[edge.to]) mark(edge.from);
  };
  for (const uint32_t end : ends) mark(end);
  while (!todo.empty()) {
    const uint32_t state = todo.back();
    todo.pop_back();
    for (const uint32_t i : into[state]) follow(edges[i]);
    if (rule_of[state] == starts.size()) continue;
    for (const uint32_t i : calls[rule_of[state]]) follow(edges[i]);
  }
  return reaches;
}

std::optional<std::vector<uint32_t>> left_recursion(const Automaton& automaton,
                                                    const std::vector<bool>& nullable) {
  enum class Mark : uint8_t { fresh, open, done };
  const auto n_rules = static_cast<uint32_t>(automaton.starts.size());
  std::vector<Mark> marks(n_rules, Mark::fresh);
  std::vector<uint32_t> seen_for(automaton.n_states(), n_rules);
  std::vector<uint32_t> path;                // rules, each of which begins with the next
  std::vector<std::vector<uint32_t>> calls;  // of each of these, the rules still to visit
  const auto open = [&](uint32_t rule) {
    marks[rule] = Mark::open;
    path.push_back(rule);
    calls.push_back(left_calls(automaton, nullable, rule, seen_for));
  };
  for (uint32_t root = 0; root < n_rules; ++root) {
    if (marks[root] == Mark::fresh) open(root);
    while (!path.empty()) {
      if (calls.back().empty()) {
        marks[path.back()] = Mark::done;
        path.pop_back();
        calls.pop_back();
        continue;
      }
      const uint32_t next = calls.back().back();
      calls.back().pop_back();
      if (marks[next] == Mark::open) {
        path.erase(path.begin(), std::find(path.begin(), path.end(), next));
        return path;
      }
      if (marks[next] == Mark::fresh) open(next);
    }
  }
  return std::nullopt;
}

}  // namespace gptj
