#include "grammar/schema_document.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "grammar/scanner.h"
#include "text/json_watch.h"

namespace gptj {

namespace {

using Types = JsonTypes;

constexpr size_t kMaxBytes = 1 << 20;
constexpr int kMaxDepth = 64;
constexpr size_t kMaxKeys = 10'000;  // of an object: finding one takes time linear in their number

/// What a keyword's value has to be.
enum class Shape {
  ignored,
  schema,
  schemas,
  named_schemas,
  count,
  number,
  string,
  strings,
  types,
  values,
  any,
  no
};

struct Keyword {
  std::string_view name;
  Shape shape;
  unsigned types = Types::kAll;  // of values that it is about
};

/// THE list of keywords. What is not in it is refused.
constexpr Keyword kKeywords[] = {
    {"type", Shape::types},
    {"enum", Shape::values},
    {"const", Shape::any},
    {"anyOf", Shape::schemas},
    {"oneOf", Shape::schemas},
    {"allOf", Shape::schemas},
    {"$ref", Shape::string},
    {"properties", Shape::named_schemas, Types::kObject},
    {"required", Shape::strings, Types::kObject},
    {"additionalProperties", Shape::schema, Types::kObject},
    {"items", Shape::schema, Types::kArray},
    {"prefixItems", Shape::schemas, Types::kArray},
    {"minItems", Shape::count, Types::kArray},
    {"maxItems", Shape::count, Types::kArray},
    {"uniqueItems", Shape::no, Types::kArray},
    {"minLength", Shape::count, Types::kString},
    {"maxLength", Shape::count, Types::kString},
    {"pattern", Shape::string, Types::kString},
    {"format", Shape::string, Types::kString},
    {"minimum", Shape::number, Types::kNumber},
    {"maximum", Shape::number, Types::kNumber},
    {"exclusiveMinimum", Shape::number, Types::kNumber},
    {"exclusiveMaximum", Shape::number, Types::kNumber},
    {"$defs", Shape::named_schemas, 0},
    {"definitions", Shape::named_schemas, 0},
    {"$schema", Shape::ignored, 0},
    {"$id", Shape::ignored, 0},
    {"$comment", Shape::ignored, 0},
    {"title", Shape::ignored, 0},
    {"description", Shape::ignored, 0},
    {"default", Shape::ignored, 0},
    {"examples", Shape::ignored, 0},
    {"deprecated", Shape::ignored, 0},
    {"readOnly", Shape::ignored, 0},
    {"writeOnly", Shape::ignored, 0},
};

constexpr struct {
  std::string_view name;
  unsigned types;
} kTypes[] = {{"null", Types::kNull},    {"boolean", Types::kBoolean}, {"string", Types::kString},
              {"array", Types::kArray},  {"object", Types::kObject},   {"integer", Types::kInteger},
              {"number", Types::kNumber}};

const Keyword* find_keyword(std::string_view name) {
  const auto* found = std::find_if(std::begin(kKeywords), std::end(kKeywords),
                                   [&](const Keyword& keyword) { return keyword.name == name; });
  return found != std::end(kKeywords) ? found : nullptr;
}

bool is_type(const OrderedJson& value) {
  return value.is_string() && types_of_name(value.get<std::string>()) != 0;
}

template <typename Test>
bool is_list_of(const OrderedJson& value, const Test& test) {
  return value.is_array() && std::all_of(value.begin(), value.end(), test);
}

/// nullptr if the value is right, else what was expected.
const char* mismatch(Shape shape, const OrderedJson& value) {
  const auto expect = [](bool right, const char* what) { return right ? nullptr : what; };
  switch (shape) {
    case Shape::schema:
      return expect(value.is_object() || value.is_boolean(), "a schema");
    case Shape::schemas:
      return expect(value.is_array() && !value.empty(), "a list of schemas");
    case Shape::named_schemas:
      return expect(value.is_object(), "an object of schemas");
    case Shape::count:
      return expect(value.is_number_unsigned() && value <= 1'000'000, "a whole number up to 1000000");
    case Shape::number:
      return expect(value.is_number(), "a number");
    case Shape::string:
      return expect(value.is_string(), "a string");
    case Shape::strings:
      return expect(is_list_of(value, [](const auto& v) { return v.is_string(); }), "a list of strings");
    case Shape::types:
      return expect(is_type(value) || (is_list_of(value, is_type) && !value.empty()),
                    "null, boolean, string, array, object, integer, number or a list of these");
    case Shape::values:
      return expect(value.is_array() && !value.empty(), "a list of values");
    case Shape::no:
      return expect(value.is_boolean() && !value.get<bool>(), "false, for true is not supported");
    case Shape::ignored:
    case Shape::any:
      break;
  }
  return nullptr;
}

std::string shown(const OrderedJson& value) {
  return value.is_structured() ? value.type_name() : quoted(value.dump());
}

void check_keyword(const std::string& name, const OrderedJson& value, const std::string& path) {
  const Keyword* keyword = find_keyword(name);
  if (keyword == nullptr) {
    if (name.starts_with("x-")) return;  // other programs' extensions
    fail_schema(path, fmt::format("the keyword {} is not supported", quoted(name)));
  }
  if (const char* expected = mismatch(keyword->shape, value)) {
    fail_schema(path / name, fmt::format("expected {}, found {}", expected, shown(value)));
  }
  if (keyword->shape == Shape::schema) check_schema(value, path / name);
  if (keyword->shape == Shape::schemas) {
    for (size_t i = 0; i < value.size(); ++i) check_schema(value[i], path / name / std::to_string(i));
  }
  if (keyword->shape == Shape::named_schemas) {
    for (const auto& [key, item] : value.items()) check_schema(item, path / name / key);
  }
}

/// The key that a step of a JSON pointer in a URI's fragment stands for.
std::string unescaped(std::string_view step, const std::string& reference, const std::string& path) {
  std::string key;
  for (size_t i = 0; i < step.size(); ++i) {
    const auto is_hex = [&](size_t at) {
      return at < step.size() && std::isxdigit(static_cast<unsigned char>(step[at])) != 0;
    };
    if (step[i] == '%') {
      if (!is_hex(i + 1) || !is_hex(i + 2)) fail_schema(path, fmt::format("{}: bad %", quoted(reference)));
      key += static_cast<char>(std::stoi(std::string(step.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      key += step[i];
    }
  }
  for (const auto& [from, to] : {std::pair{"~1", "/"}, std::pair{"~0", "~"}}) {
    for (size_t at = 0; (at = key.find(from, at)) != std::string::npos; ++at) key.replace(at, 2, to);
  }
  return key;
}

}  // namespace

std::string shown_path(const std::string& path) {
  constexpr size_t kShown = 200;
  return escaped(path.substr(0, kShown)) + (path.size() > kShown ? "..." : "");
}

void fail_schema(const std::string& path, const std::string& what) {
  fail("JSON schema: {}: {}", shown_path(path), what);
}

OrderedJson parse_schema(std::string_view text) {
  using Event = OrderedJson::parse_event_t;
  if (text.size() > kMaxBytes) {
    fail("JSON schema: expected at most {} bytes, found {}", kMaxBytes, text.size());
  }
  JsonWatch<OrderedJson> watch(kMaxDepth);
  const auto check = [&](int depth, Event event, OrderedJson& parsed) {
    const std::string problem = watch.problem(depth, event, parsed);
    if (!problem.empty()) fail("JSON schema: {}", problem);
    if (watch.n_keys() > kMaxKeys) fail("JSON schema: an object has more than {} keys", kMaxKeys);
    return true;
  };
  try {
    return OrderedJson::parse(text, check);
  } catch (const OrderedJson::parse_error& error) {
    const size_t at = std::min(text.size(), error.byte > 0 ? error.byte - 1 : 0);
    fail("JSON schema: {}: expected JSON, found a mistake", Lines(text).where(at));
  } catch (const OrderedJson::exception& error) {
    fail("JSON schema: expected JSON, found {}", quoted(error.what()));
  }
}

void check_schema(const OrderedJson& schema, const std::string& path) {
  if (schema.is_boolean()) return;
  if (!schema.is_object()) fail_schema(path, fmt::format("expected a schema, found {}", shown(schema)));
  for (const auto& [name, value] : schema.items()) check_keyword(name, value, path);
}

std::string operator/(const std::string& path, const std::string& key) {
  std::string longer = path + "/";
  for (const char c : key) {
    if (c == '~') {
      longer += "~0";
    } else if (c == '/') {
      longer += "~1";
    } else {
      longer += c;
    }
  }
  return longer;
}

const OrderedJson& find_reference(const OrderedJson& document, const std::string& reference,
                                  const std::string& path) {
  if (reference != "#" && !reference.starts_with("#/")) {
    fail_schema(path, fmt::format("$ref: expected a place in this schema (#/$defs/...), found {}",
                                  quoted(reference)));
  }
  const OrderedJson* found = &document;
  std::string_view left = std::string_view(reference).substr(1);
  while (!left.empty()) {
    left.remove_prefix(1);
    const std::string_view step = left.substr(0, left.find('/'));
    left.remove_prefix(step.size());
    const std::string key = unescaped(step, reference, path);
    const bool is_index =
        !key.empty() && key.size() < 7 && key.find_first_not_of("0123456789") == std::string::npos;
    if (found->is_object() && found->contains(key)) {
      found = &found->at(key);
    } else if (found->is_array() && is_index && std::stoul(key) < found->size()) {
      found = &found->at(std::stoul(key));
    } else {
      fail_schema(path, fmt::format("$ref: there is no {}", quoted(reference)));
    }
  }
  return *found;
}

bool is_annotation(const std::string& keyword) {
  return types_of_keyword(keyword) == 0;
}

unsigned types_of_keyword(const std::string& keyword) {
  const Keyword* found = find_keyword(keyword);
  return found != nullptr ? found->types : 0;
}

unsigned types_of_name(const std::string& name) {
  for (const auto& type : kTypes) {
    if (type.name == name) return type.types;
  }
  return 0;
}

unsigned type_of_value(const OrderedJson& value) {
  if (value.is_number()) {
    const bool is_whole = !value.is_number_float() || std::trunc(value.get<double>()) == value.get<double>();
    return is_whole ? Types::kInteger : Types::kFraction;
  }
  return types_of_name(value.type_name());
}

unsigned admitted_types(const OrderedJson& schema) {
  if (!schema.contains("type")) return Types::kAll;
  const OrderedJson& type = schema["type"];
  unsigned types = 0;
  for (const OrderedJson& name : type.is_array() ? type : OrderedJson::array({type})) {
    types |= types_of_name(name.get<std::string>());
  }
  return types;
}

unsigned written_types(const OrderedJson& schema) {
  unsigned types = 0;
  for (const auto& [keyword, value] : schema.items()) {
    const unsigned about = types_of_keyword(keyword);
    if (about != Types::kAll) types |= about;
  }
  return types != 0 && !schema.contains("type") ? types : admitted_types(schema);
}

}  // namespace gptj
