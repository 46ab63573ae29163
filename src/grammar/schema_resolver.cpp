#include "grammar/schema_resolver.h"

#include <algorithm>
#include <utility>

#include "grammar/schema_merge.h"

namespace gptj {

namespace {

constexpr int kMaxDepth = 32;  // of schemas that refer to others
constexpr size_t kMaxWork = 16 << 20;

bool requires_property(const OrderedJson& schema, const std::string& name) {
  if (!schema.contains("required")) return false;
  const OrderedJson& names = schema["required"];
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool has_property(const OrderedJson& schema, const std::string& name) {
  return schema.contains("properties") && schema["properties"].contains(name);
}

/// Whether objects may have properties that are not listed.
bool is_open(const OrderedJson& schema) {
  if (schema.contains("additionalProperties")) return schema["additionalProperties"] != OrderedJson(false);
  return !schema.contains("properties");
}

OrderedJson values_of(const OrderedJson& schema) {
  if (schema.contains("const")) return OrderedJson::array({schema["const"]});
  return schema.contains("enum") ? schema["enum"] : OrderedJson();
}

}  // namespace

const OrderedJson& SchemaResolver::find(const std::string& reference, const std::string& path) {
  const OrderedJson& found = find_reference(document_, reference, path);
  // It may stand where no schema is expected, and so not have been checked.
  if (checked_.insert(reference).second) check_schema(found, reference);
  return found;
}

/// Bounds the work: a short schema may take long to resolve.
void SchemaResolver::spend(size_t bytes, const std::string& path) {
  work_ += bytes;
  if (work_ > kMaxWork)
    fail_schema(path, "too many schemas that are made of others; write fewer $ref, allOf and oneOf");
}

OrderedJson SchemaResolver::resolve(const OrderedJson& schema, const std::string& path, int depth) {
  if (!schema.is_object()) return schema;
  if (depth == kMaxDepth)
    fail_schema(path, fmt::format("more than {} schemas that refer to each other", kMaxDepth));
  OrderedJson own = OrderedJson::object();
  for (const auto& [key, value] : schema.items()) {
    if (key != "$ref" && key != "allOf" && !is_annotation(key)) own[key] = value;
  }
  const auto add = [&](const OrderedJson& other, const std::string& place) {
    const OrderedJson resolved = resolve(other, place, depth + 1);
    own = merge_schemas(own, resolved, path);
    spend(own.dump().size(), path);
  };
  if (schema.contains("$ref")) {
    const auto reference = schema["$ref"].get<std::string>();
    add(find(reference, path), reference);
  }
  if (schema.contains("allOf")) {
    for (size_t i = 0; i < schema["allOf"].size(); ++i) {
      add(schema["allOf"][i], path / "allOf" / std::to_string(i));
    }
  }
  return own;
}

bool SchemaResolver::are_disjoint(const OrderedJson& written, const OrderedJson& other,
                                  const std::string& path, int depth) {
  spend(64, path);
  const OrderedJson no(false), yes(true);
  if (written == no || other == no) return true;
  if (written == yes || other == yes || depth == kMaxDepth) return false;
  const unsigned types = written_types(written);
  if ((types & admitted_types(other)) == 0) return true;
  const OrderedJson values = values_of(written), others = values_of(other);
  if (values.is_array()) {
    const unsigned admitted = admitted_types(other);
    return std::none_of(values.begin(), values.end(), [&](const OrderedJson& value) {
      const bool listed =
          !others.is_array() || std::find(others.begin(), others.end(), value) != others.end();
      return listed && (type_of_value(value) & admitted) != 0;
    });
  }
  return types == JsonTypes::kObject && are_objects_disjoint(written, other, path, depth);
}

bool SchemaResolver::are_objects_disjoint(const OrderedJson& written, const OrderedJson& other,
                                          const std::string& path, int depth) {
  if (other.contains("required")) {
    for (const OrderedJson& name : other["required"]) {
      const auto key = name.get<std::string>();
      if (!has_property(written, key) && !requires_property(written, key) && !is_open(written)) return true;
    }
  }
  if (!written.contains("properties") || !other.contains("properties")) return false;
  const auto& properties = written["properties"].items();
  return std::any_of(properties.begin(), properties.end(), [&](const auto& property) {
    const std::string& key = property.key();
    if (!requires_property(written, key) || !has_property(other, key)) return false;
    const std::string place = path / "properties" / key;
    return are_disjoint(resolve(property.value(), place), resolve(other["properties"][key], place), place,
                        depth + 1);
  });
}

}  // namespace gptj
