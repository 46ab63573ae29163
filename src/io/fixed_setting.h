#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace gptj {

/// What a form has no place for: its readers assume one value, and a model with another one would silently become
/// another model.
struct FixedSettings {
  const std::string& path;  // to be written
  const nlohmann::json& config;
  std::string_view form;  // "legacy ggml files"

  /// Throws Error unless the config's value of `key` is one of `assumed`.
  void check(const char* key, const std::vector<nlohmann::json>& assumed) const;

  /// How attention's scores are scaled, which only GPT-2 can choose.
  void check_attention() const;
};

}  // namespace gptj
