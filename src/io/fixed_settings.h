#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace gptj {

/// Settings for which a form has no place: its readers assume one value, and a model with another value would
/// silently become another model.
struct FixedSettings {
  const std::string& path;  // of the file to be written
  const nlohmann::json& config;
  std::string_view form;  // "legacy ggml files"

  /// Throws Error unless the config's value of `key` is one of `assumed`.
  void check(const char* key, const std::vector<nlohmann::json>& assumed) const;

  /// Throws Error unless attention scores are scaled as usual, which only GPT-2's config can change.
  void check_attention() const;
};

}  // namespace gptj
