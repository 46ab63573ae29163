#include "generate/logprobs.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <vector>

#include "gptj/log_softmax.h"

namespace gptj::apps {
namespace {

using nlohmann::ordered_json;
using Invalid = ordered_json::error_handler_t;

std::string dumped(const ordered_json& value, Invalid invalid) {
  return value.dump(-1, ' ', false, invalid);
}

ordered_json token(const Tokenizer& tokenizer, int id) {
  const std::string bytes(tokenizer.decode(id));
  ordered_json out = {{"id", id}, {"text", bytes}};
  const bool is_utf8 = dumped(bytes, Invalid::replace) == dumped(bytes, Invalid::ignore);
  if (!is_utf8) out["bytes"] = std::vector<unsigned char>(bytes.begin(), bytes.end());
  return out;
}

/// The n tokens with the largest logits, likeliest first; of the same, the smaller id.
std::vector<int> likeliest(std::span<const float> logits, int n) {
  std::vector<int> ids(logits.size());
  std::iota(ids.begin(), ids.end(), 0);
  const auto end = ids.begin() + std::min<ptrdiff_t>(n, std::ssize(ids));
  std::partial_sort(ids.begin(), end, ids.end(), [&](int a, int b) {
    const float x = logits[static_cast<size_t>(a)], y = logits[static_cast<size_t>(b)];
    return x != y ? x > y : a < b;
  });
  return {ids.begin(), end};
}

}  // namespace

std::string LogprobLines::line(int id, std::span<const float> logits) const {
  ordered_json out = token(tokenizer_, id);
  ordered_json top = ordered_json::array();
  out["logprob"] = nullptr;
  if (!logits.empty()) {
    const double sum = log_sum_exp(logits);
    const auto logprob = [&](int of) { return logits[static_cast<size_t>(of)] - sum; };
    out["logprob"] = logprob(id);
    for (const int other : likeliest(logits, n_top_)) {
      top.push_back(token(tokenizer_, other));
      top.back()["logprob"] = logprob(other);
    }
  }
  out["top"] = std::move(top);
  return dumped(out, Invalid::replace) + "\n";
}

}  // namespace gptj::apps
