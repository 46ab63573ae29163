#include "text/json_file.h"

#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "text/json.h"

namespace gptj {

const nlohmann::json& member(const nlohmann::json& object, const char* key) {
  static const nlohmann::json null;
  const auto found = object.find(key);
  return found == object.end() ? null : *found;
}

void JsonFile::fail(std::string_view field, std::string_view expected, const nlohmann::json& found) const {
  const std::string value = found.is_structured() ? found.type_name() : quoted(found.dump());
  gptj::fail("{}: {}: expected {}, found {}", quoted(path), field, expected, value);
}

std::optional<JsonFile> read_json_file_if_there(const std::string& path) {
  std::error_code ignored;  // what cannot be looked at cannot be opened either, and that gives the reason
  const auto type = std::filesystem::status(path, ignored).type();
  if (type == std::filesystem::file_type::not_found) return std::nullopt;
  return JsonFile{path, parse_json_object(read_text_file(path, kMaxJsonBytes), path)};
}

}  // namespace gptj
