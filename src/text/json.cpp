#include "text/json.h"

#include <nlohmann/json.hpp>
#include <unordered_set>
#include <vector>

#include "base/error.h"
#include "base/file.h"

namespace gptj {

nlohmann::json parse_json_object(const std::string& text, const std::string& path) {
  using Event = nlohmann::json::parse_event_t;
  constexpr int kMaxDepth = 32;

  std::vector<std::unordered_set<std::string>> keys;  // of every object that is open
  const auto watch = [&](int depth, Event event, nlohmann::json& parsed) {
    if (depth > kMaxDepth) fail("{}: JSON nested more than {} deep", quoted(path), kMaxDepth);
    if (event == Event::object_start) keys.emplace_back();
    if (event == Event::object_end) keys.pop_back();
    if (event != Event::key) return true;
    const auto& key = parsed.get_ref<const std::string&>();
    if (!keys.back().insert(key).second) {
      fail("{}: the key {} appears twice in one object", quoted(path), quoted(key));
    }
    return true;
  };

  nlohmann::json value;
  try {
    value = nlohmann::json::parse(text, watch);
  } catch (const nlohmann::json::parse_error& error) {
    fail("{}: expected JSON, found a mistake at byte {} of {}", quoted(path), error.byte, text.size());
  } catch (const nlohmann::json::exception& error) {
    fail("{}: expected JSON, found {}", quoted(path), quoted(error.what()));
  }
  if (!value.is_object()) {
    fail("{}: expected a JSON object, found {} {}", quoted(path), value.type_name(), quoted(value.dump()));
  }
  return value;
}

std::shared_ptr<const nlohmann::json> read_json_object(const std::string& path) {
  return std::make_shared<const nlohmann::json>(parse_json_object(read_text_file(path, kMaxJsonBytes), path));
}

}  // namespace gptj
