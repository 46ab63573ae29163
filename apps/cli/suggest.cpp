#include "cli/suggest.h"

#include <fmt/format.h>

#include <algorithm>

namespace gptj::apps {
namespace {

/// Single edits that make `a` into `b`: a character inserted, removed or replaced, two neighbours swapped
/// (optimal string alignment). Rows of the usual table, the last three kept.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    before.swap(above);
    above.swap(row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, above[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
  }
  return row[b.size()];
}

}  // namespace

std::string nearest(std::string_view name, const std::vector<std::string>& candidates) {
  const auto best = std::min_element(candidates.begin(), candidates.end(), [&](const auto& a, const auto& b) {
    return edit_distance(name, a) < edit_distance(name, b);
  });
  return best == candidates.end() ? "" : *best;
}

std::string mistyped(std::string_view name, const std::vector<std::string>& candidates) {
  const auto n_letters = [](std::string_view word) {  // the dashes of an option are right too easily to count
    return word.size() - std::min(word.find_first_not_of('-'), word.size());
  };
  std::string best = nearest(name, candidates);
  return 3 * edit_distance(name, best) <= std::max(n_letters(name), n_letters(best)) ? best : "";
}

std::string did_you_mean(std::string_view name) {
  return name.empty() ? "" : fmt::format("; did you mean '{}'?", name);
}

}  // namespace gptj::apps
