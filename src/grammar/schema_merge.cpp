#include "grammar/schema_merge.h"

#include <algorithm>
#include <utility>

namespace gptj {

namespace {

/// The schema with an `enum` of one value in place of `const`.
OrderedJson with_enum(OrderedJson schema) {
  if (!schema.contains("const")) return schema;
  OrderedJson values = OrderedJson::array({schema["const"]});
  schema.erase("const");
  if (!schema.contains("enum")) {
    schema["enum"] = std::move(values);
    return schema;
  }
  const OrderedJson& listed = schema["enum"];
  const bool found = std::find(listed.begin(), listed.end(), values[0]) != listed.end();
  schema["enum"] = found ? std::move(values) : OrderedJson::array();
  return schema;
}

OrderedJson common(const OrderedJson& a, const OrderedJson& b) {
  OrderedJson both = OrderedJson::array();
  for (const OrderedJson& value : a) {
    if (std::find(b.begin(), b.end(), value) != b.end()) both.push_back(value);
  }
  return both;
}

OrderedJson joined(const OrderedJson& a, const OrderedJson& b) {
  OrderedJson all = a;
  for (const OrderedJson& value : b) {
    if (std::find(all.begin(), all.end(), value) == all.end()) all.push_back(value);
  }
  return all;
}

OrderedJson names_of_types(unsigned types) {
  OrderedJson names = OrderedJson::array();
  for (const char* name : {"null", "boolean", "string", "array", "object", "number", "integer"}) {
    const unsigned meant = types_of_name(name);
    if ((types & meant) != meant) continue;
    names.push_back(name);
    types &= ~meant;
  }
  return names;
}

/// Adds to properties that a schema does not list what its additionalProperties says about them.
void restrict_others(OrderedJson& properties, const OrderedJson& listed, const OrderedJson& schema) {
  if (!schema.contains("additionalProperties")) return;
  for (auto& [name, property] : properties.items()) {
    if (!listed.contains(name)) property = both_schemas(property, schema["additionalProperties"]);
  }
}

OrderedJson merged_properties(const OrderedJson& a, const OrderedJson& b) {
  const OrderedJson none = OrderedJson::object();
  const OrderedJson& of_a = a.contains("properties") ? a["properties"] : none;
  const OrderedJson& of_b = b.contains("properties") ? b["properties"] : none;
  OrderedJson only_a = of_a, only_b = of_b, both = OrderedJson::object();
  restrict_others(only_a, of_b, b);
  restrict_others(only_b, of_a, a);
  for (const auto& [name, property] : only_a.items()) {
    both[name] = of_b.contains(name) ? both_schemas(property, of_b[name]) : property;
  }
  for (const auto& [name, property] : only_b.items()) {
    if (!of_a.contains(name)) both[name] = property;
  }
  return both;
}

/// The value of a keyword that both have.
OrderedJson merged_value(const std::string& key, const OrderedJson& a, const OrderedJson& b,
                         const std::string& path) {
  const auto is_one_of = [&](std::initializer_list<const char*> names) {
    return std::find(names.begin(), names.end(), key) != names.end();
  };
  if (key == "type") {
    return names_of_types(admitted_types({{"type", a}}) & admitted_types({{"type", b}}));
  }
  if (key == "enum") return common(a, b);
  if (key == "required") return joined(a, b);
  if (is_one_of({"additionalProperties", "items"})) return both_schemas(a, b);
  if (is_one_of({"minItems", "minLength", "minimum", "exclusiveMinimum"})) return std::max(a, b);
  if (is_one_of({"maxItems", "maxLength", "maximum", "exclusiveMaximum"})) return std::min(a, b);
  if (a == b || is_annotation(key)) return a;
  fail_schema(path, fmt::format("two different {} at once are not supported", quoted(key)));
}

}  // namespace

OrderedJson both_schemas(const OrderedJson& a, const OrderedJson& b) {
  if (a == OrderedJson(true) || b == OrderedJson(false)) return b;
  if (b == OrderedJson(true) || a == OrderedJson(false)) return a;
  return {{"allOf", OrderedJson::array({a, b})}};
}

OrderedJson merge_schemas(const OrderedJson& a, const OrderedJson& b, const std::string& path) {
  if (!a.is_object() || !b.is_object()) return both_schemas(a, b);
  OrderedJson merged = with_enum(a);
  const OrderedJson added = with_enum(b);
  const auto has_items = [](const OrderedJson& s) {
    return s.contains("items") || s.contains("prefixItems");
  };
  const bool prefixed = a.contains("prefixItems") || b.contains("prefixItems");
  if (prefixed && has_items(a) && has_items(b)) {
    fail_schema(path, "'prefixItems' and 'items' of two schemas at once are not supported");
  }
  OrderedJson properties = merged_properties(a, b);
  for (const auto& [key, value] : added.items()) {
    merged[key] =
        merged.contains(key) && key != "properties" ? merged_value(key, merged[key], value, path) : value;
  }
  if (!properties.empty()) merged["properties"] = std::move(properties);
  return merged;
}

}  // namespace gptj
