#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace gptj {

/// The value of `key` in an object, or JSON's null if there is none.
const nlohmann::json& member(const nlohmann::json& object, const char* key);

/// A JSON file, whose errors name file and field.
struct JsonFile {
  std::string path;
  nlohmann::json root;  // an object

  /// Throws an Error: `field` has the value `found` instead of what was expected.
  [[noreturn]] void fail(std::string_view field, std::string_view expected,
                         const nlohmann::json& found) const;
};

/// Reads a file; nothing if there is none. Throws Error as read_json_object() does.
std::optional<JsonFile> read_json_file_if_there(const std::string& path);

}  // namespace gptj
