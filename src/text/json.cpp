#include "text/json.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "text/json_watch.h"

namespace gptj {

nlohmann::json parse_json_object(const std::string& text, const std::string& path) {
  using Event = nlohmann::json::parse_event_t;
  constexpr int kMaxDepth = 32;

  JsonWatch<nlohmann::json> watch(kMaxDepth);
  const auto check = [&](int depth, Event event, nlohmann::json& parsed) {
    const std::string problem = watch.problem(depth, event, parsed);
    if (!problem.empty()) fail("{}: {}", quoted(path), problem);
    return true;
  };

  nlohmann::json value;
  try {
    value = nlohmann::json::parse(text, check);
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
