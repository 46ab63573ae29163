#pragma once

#include <algorithm>
#include <span>
#include <string>

#include "gptj/tokenizer.h"

/// The end of a text that is given as tokens.
namespace gptj {

/// The last `n` tokens; all if n is negative or there are fewer.
inline std::span<const int> last_of(std::span<const int> context, double n) {
  return n < 0 || static_cast<double>(context.size()) <= n ? context : context.last(static_cast<size_t>(n));
}

/// Sets `tail` to the last `n` bytes, or all if there are fewer. Allocates nothing if `tail` has room for them.
inline void take_tail(std::span<const int> context, size_t n, const Tokenizer& tokenizer, std::string& tail) {
  size_t begin = context.size(), n_bytes = 0;
  while (begin > 0 && n_bytes < n) n_bytes += tokenizer.decode(context[--begin]).size();
  tail.clear();
  for (size_t surplus = n_bytes - std::min(n, n_bytes); begin < context.size(); ++begin, surplus = 0)
    tail += tokenizer.decode(context[begin]).substr(surplus);
}

}  // namespace gptj
