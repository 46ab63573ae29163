#pragma once

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/error.h"

namespace gptj {

using OrderedJson = nlohmann::ordered_json;

/// Kinds of values, as bits: "number" is whole and fractional.
struct JsonTypes {
  static constexpr unsigned kNull = 1, kBoolean = 2, kString = 4, kArray = 8, kObject = 16, kInteger = 32,
                            kFraction = 64;
  static constexpr unsigned kNumber = kInteger | kFraction, kAll = 127;
};

/// A path for messages: escaped, and not too long.
std::string shown_path(const std::string& path);

/// Throws the Error that what stands at `path` (#/properties/a) cannot serve.
[[noreturn]] void fail_schema(const std::string& path, const std::string& what);

/// Throws Error for what is no JSON, naming line and column; for keys that appear twice.
OrderedJson parse_schema(std::string_view text);

/// Throws Error if the schema at `path`, or one inside it, has a keyword that is not supported, or whose value is not of
/// the kind that it wants. What a schema means is looked at only after that.
void check_schema(const OrderedJson& schema, const std::string& path);

/// `path` and a key behind it, escaped as in JSON pointers (RFC 6901).
std::string operator/(const std::string& path, const std::string& key);

/// What `reference` ("#/$defs/a") of the schema at `path` names in the document.
const OrderedJson& find_reference(const OrderedJson& document, const std::string& reference,
                                  const std::string& path);

/// Whether a keyword says nothing about the value.
bool is_annotation(const std::string& keyword);

/// Values that a keyword is about.
unsigned types_of_keyword(const std::string& keyword);

/// Those that a type's name ("integer") stands for; 0: no such type.
unsigned types_of_name(const std::string& name);

unsigned type_of_value(const OrderedJson& value);

/// Those that `type` admits; all, if there is none. As written here: a schema without it, but with keywords that are about
/// strings, is one of strings.
unsigned admitted_types(const OrderedJson& schema);
unsigned written_types(const OrderedJson& schema);

}  // namespace gptj
