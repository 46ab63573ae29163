#pragma once

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/error.h"

namespace gptj {

using OrderedJson = nlohmann::ordered_json;

/// Types of values, as bits. A number is an integer or has a fraction.
struct JsonTypes {
  static constexpr unsigned kNull = 1, kBoolean = 2, kString = 4, kArray = 8, kObject = 16, kInteger = 32,
                            kFraction = 64;
  static constexpr unsigned kNumber = kInteger | kFraction, kAll = 127;
};

/// A path as messages show it: escaped, and not too long.
std::string shown_path(const std::string& path);

/// Throws an Error about what stands at `path` (#/properties/a).
[[noreturn]] void fail_schema(const std::string& path, const std::string& what);

/// Parses JSON. Throws Error, naming line and column, for what is no JSON, and for keys that appear twice.
OrderedJson parse_schema(std::string_view text);

/// Throws Error if the schema at `path`, or one inside it, has a keyword that is not supported, or a value of the
/// wrong kind. All other functions may rely on that.
void check_schema(const OrderedJson& schema, const std::string& path);

/// `path` and a key behind it, escaped as in JSON pointers (RFC 6901).
std::string operator/(const std::string& path, const std::string& key);

/// What `reference` ("#/$defs/a"), in the schema at `path`, names in the document. Throws Error if there is no such
/// place.
const OrderedJson& find_reference(const OrderedJson& document, const std::string& reference,
                                  const std::string& path);

/// Whether a keyword says nothing about values.
bool is_annotation(const std::string& keyword);

/// The JsonTypes that a keyword is about.
unsigned types_of_keyword(const std::string& keyword);

/// The JsonTypes that a type's name ("integer") stands for; 0: there is no such type.
unsigned types_of_name(const std::string& name);

unsigned type_of_value(const OrderedJson& value);

/// The types that a schema's `type` admits (all if it has none), and those that are written here: for a schema
/// without `type` but with keywords about strings, for example, only strings.
unsigned admitted_types(const OrderedJson& schema);
unsigned written_types(const OrderedJson& schema);

}  // namespace gptj
