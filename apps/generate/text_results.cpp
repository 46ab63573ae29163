#include "generate/text_results.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace gptj::apps {

std::string json_line(const TextResult& result) {
  nlohmann::ordered_json out;
  if (!result.id.empty()) out["id"] = nlohmann::ordered_json::parse(result.id);
  out["prompt"] = result.prompt;
  if (result.error.empty()) {
    out["text"] = result.text;
    out["tokens"] = std::vector<int>(result.tokens.begin(), result.tokens.end());
    out["reason"] = kStopReasonNames[static_cast<int>(result.reason)];
    if (result.seed) out["seed"] = *result.seed;
    if (result.score) out["score"] = *result.score;
    out["n_prompt"] = result.n_prompt;
    out["n_generated"] = result.tokens.size();
    if (!result.logprobs.empty())
      out["logprobs"] = nlohmann::ordered_json::parse("[" + result.logprobs + "]");
  } else {
    out["error"] = result.error;
  }
  return out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string plain_text(const TextResult& result, size_t index, bool one_of_many) {
  Utf8Stream stream;
  std::string out = one_of_many ? fmt::format("=== {} ===\n", index + 1) : "";
  out += stream.push(result.prompt + result.text);
  // A character that was cut by the end is not shown in half, unless the user wrote it so.
  if (result.tokens.empty()) out += stream.finish();
  return out + "\n";
}

}  // namespace gptj::apps
