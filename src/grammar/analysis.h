#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "grammar/automaton.h"

namespace gptj {

/// For every state: whether it can reach the end of its rule over edges that `usable` admits, where calls count only
/// if the called rule's start can reach its end. A least fixed point, in time linear in the number of edges.
std::vector<bool> reach_an_end(const std::vector<Edge>& edges, uint32_t n_states,
                               const std::vector<uint32_t>& starts, const std::vector<uint32_t>& ends,
                               bool (*usable)(const Edge&));

/// A cycle of rules, each of which can begin with the next one (also behind rules that can be empty), and the last
/// one with the first. Nothing: no rule can begin with itself.
std::optional<std::vector<uint32_t>> left_recursion(const Automaton& automaton,
                                                    const std::vector<bool>& nullable);

}  // namespace gptj
