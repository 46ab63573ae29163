#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace gptj {

/// A transition. A call walks through a rule from its start, and goes on at `to` when that has ended.
struct Edge {
  enum class Kind : uint8_t { epsilon, bytes, call };

  uint32_t from, to;
  uint32_t rule = 0;
  uint8_t first = 0, last = 0;  // the range of bytes, including both
  Kind kind = Kind::epsilon;
};

/// A pushdown automaton over bytes: a finite automaton for each rule, nondeterministic because deterministic ones can
/// be exponentially larger. From every edge an end can be reached, and no rule begins with itself.
struct Automaton {
  std::vector<Edge> edges;           // sorted by `from`
  std::vector<uint32_t> first_edge;  // of each state; one more at the end
  std::vector<bool> final;           // the state's rule may end here
  std::vector<uint32_t> starts;      // of each rule; the first is the root's

  /// Bytes that no edge tells apart are in one class, which one of them represents.
  std::array<uint8_t, 256> class_of{};
  std::vector<uint8_t> classes;

  size_t n_states() const { return final.size(); }
  std::span<const Edge> edges_of(uint32_t state) const {
    return std::span(edges).subspan(first_edge[state], first_edge[state + 1] - first_edge[state]);
  }
};

}  // namespace gptj
