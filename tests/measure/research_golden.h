#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/file.h"

namespace gptj::test {

/// tools/make_golden_research.py: for each model what transformers finds.
inline nlohmann::json research_goldens() {
  return nlohmann::json::parse(read_text_file(GPTJ_TEST_DATA "/research/expected.json", 1 << 20));
}

inline std::string research_model(const nlohmann::json& golden) {
  const auto name = golden["model"].get<std::string>();
  const bool is_demo = name == "gpt-j" || name == "gpt-2";
  return (is_demo ? GPTJ_DEMO_MODELS "/" : GPTJ_TEST_DATA "/golden/") + name;
}

}  // namespace gptj::test
