#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "gptj/generate.h"

namespace gptj::apps {

/// One of several texts, as it is written to standard output.
struct TextResult {
  std::string id = {};  // JSON that the user gave; empty: none
  std::string prompt = {};
  std::string error = {};  // why there is no text; empty: there is
  std::string text = {};   // what follows the prompt
  std::span<const int> tokens = {};
  StopReason reason = StopReason::length;
  int n_prompt = 0;
  std::optional<uint64_t> seed = {};
  std::optional<double> score = {};
  std::string logprobs = {};  // JSON of each token, with commas between them; empty: not wanted
};

/// One line with a JSON object. What is no UTF-8 becomes U+FFFD, for JSON cannot have it.
std::string json_line(const TextResult& result);

/// Prompt and text, up to a newline at the end; before them a line with its number, counting from 1, if it is one of many.
std::string plain_text(const TextResult& result, size_t index, bool one_of_many);

}  // namespace gptj::apps
