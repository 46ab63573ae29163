#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace gptj {

/// The value of `key` in an object, or null.
const nlohmann::json& member(const nlohmann::json& object, const char* key);

/// A JSON file, for messages that name file and field.
struct JsonFile {
  std::string path;
  nlohmann::json root;  // an object

  /// Throws the Error that `field` has the value `found` and not what was expected.
  [[noreturn]] void fail(std::string_view field, std::string_view expected,
                         const nlohmann::json& found) const;
};

/// Nothing if there is no such file. Throws Error as read_json_object() does.
std::optional<JsonFile> read_json_file_if_there(const std::string& path);

}  // namespace gptj
