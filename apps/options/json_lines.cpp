#include "options/json_lines.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>

#include "base/quoted.h"
#include "gptj/error.h"
#include "text/json_watch.h"

namespace gptj::apps {

using nlohmann::json;

void for_each_line(TextInput& input, const std::function<void(std::string_view line)>& take) {
  for (int number = 1;; ++number) {
    std::optional<std::string> line = input.line();
    if (!line) return;
    if (line->ends_with('\r')) line->pop_back();
    if (line->find_first_not_of(" \t") == line->npos) continue;
    try {
      take(*line);
    } catch (const Error& error) {
      throw Error(fmt::format("{}: line {}: {}", input.name(), number, error.what()));
    }
  }
}

json parse_json_line(std::string_view line) {
  constexpr int kMaxDepth = 80;  // room for a JSON schema and what it stands in
  JsonWatch<json> watch(kMaxDepth);
  const auto check = [&](int depth, json::parse_event_t event, json& parsed) {
    const std::string problem = watch.problem(depth, event, parsed);
    if (!problem.empty()) throw Error(problem);
    return true;
  };
  try {
    json value = json::parse(line, check);
    if (!value.is_object()) throw Error(fmt::format("expected a JSON object, found {}", value.type_name()));
    return value;
  } catch (const json::parse_error& error) {
    throw Error(fmt::format("column {}: expected JSON, found a mistake in {}", error.byte, quoted(line)));
  } catch (const json::exception& error) {  // a number beyond all bounds
    throw Error(fmt::format("expected JSON, found {}", quoted(error.what())));
  }
}

}  // namespace gptj::apps
