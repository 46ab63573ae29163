#include "grammar/json_schema.h"

#include <algorithm>
#include <deque>
#include <map>
#include <utility>

#include "grammar/json_text.h"
#include "grammar/regex.h"
#include "grammar/schema_merge.h"
#include "grammar/schema_numbers.h"
#include "grammar/schema_resolver.h"

namespace gptj {

namespace {

using Types = JsonTypes;

/// Derives no text at all.
Expr nothing() {
  return choice({});
}

/// The regular expression of a `format`: dates of the Gregorian calendar, RFC 3339, RFC 4122.
std::string pattern_of_format(const std::string& format, const std::string& path) {
  const std::string date =
      "(?:\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|02-(?:0["
      "1-9]|1\\d|2[0-8]))"
      "|(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)";
  const std::string time =
      R"((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d))";
  if (format == "date") return date;
  if (format == "time") return time;
  if (format == "date-time") return date + "T" + time;
  if (format == "uuid") return "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}";
  fail_schema(path / "format",
              fmt::format("expected date, time, date-time or uuid, found {}", quoted(format)));
}

class SchemaCompiler {
 public:
  explicit SchemaCompiler(OrderedJson document) : resolver_(std::move(document)), text_(rules_) {
    rules_.source = "JSON schema";
  }

  Rules compile() {
    reference("#", "#");
    while (!todo_.empty()) {  // not by recursion, because chains of references may be long
      const Todo next = std::move(todo_.front());
      todo_.pop_front();
      Expr expr = build(next.schema, next.path);
      rules_.rules[next.rule].expr = std::move(expr);
    }
    return std::move(rules_);
  }

 private:
  struct Todo {
    uint32_t rule;
    OrderedJson schema;
    std::string path;
  };

  /// The rule of a schema that may be used more than once, also inside itself. `key` tells such schemas apart.
  Expr shared(const std::string& key, const OrderedJson& schema, const std::string& path) {
    const auto [found, is_new] = shared_.try_emplace(key, static_cast<uint32_t>(rules_.rules.size()));
    if (is_new) {
      rules_.rules.push_back({path, shown_path(path), {}});
      todo_.push_back({found->second, schema, path});
    }
    return rule(found->second);
  }

  Expr reference(const std::string& to, const std::string& path) {
    return shared(to, resolver_.find(to, path), to);
  }

  Expr add_rule(const std::string& path, std::vector<Expr> alternatives) {
    rules_.rules.push_back({path, shown_path(path), choice(std::move(alternatives))});
    return rule(static_cast<uint32_t>(rules_.rules.size()) - 1);
  }

  Expr build(const OrderedJson& schema, const std::string& path) {
    if (schema.is_boolean()) return schema.get<bool>() ? text_.value() : nothing();
    if (!schema.contains("$ref") && !schema.contains("allOf")) return build_resolved(schema, path);
    const bool is_reference = std::all_of(schema.items().begin(), schema.items().end(), [](const auto& item) {
      return item.key() == "$ref" || is_annotation(item.key());
    });
    if (is_reference) return reference(schema["$ref"].get<std::string>(), path);
    const OrderedJson resolved = resolver_.resolve(schema, path);
    return shared(resolved.dump(), resolved, path);
  }

  Expr build_resolved(const OrderedJson& schema, const std::string& path) {
    const bool any = schema.contains("anyOf"), one = schema.contains("oneOf");
    if (any && one) fail_schema(path, "'anyOf' beside 'oneOf' is not supported");
    if (any || one) return build_options(schema, path, any ? "anyOf" : "oneOf");
    if (schema.contains("const")) return build_values(schema, OrderedJson::array({schema["const"]}), path);
    if (schema.contains("enum")) return build_values(schema, schema["enum"], path);
    const unsigned types = written_types(schema);
    if (types == Types::kAll && !has_own_keywords(schema)) return text_.value();
    std::vector<Expr> parts;
    if ((types & Types::kNull) != 0) parts.push_back(bytes("null"));
    if ((types & Types::kBoolean) != 0) parts.push_back(choice({bytes("true"), bytes("false")}));
    if ((types & Types::kString) != 0) parts.push_back(build_string(schema, path));
    if ((types & Types::kArray) != 0) parts.push_back(build_array(schema, path));
    if ((types & Types::kObject) != 0) parts.push_back(build_object(schema, path));
    if ((types & Types::kFraction) != 0) {
      parts.push_back(schema_numbers(schema, path));
    } else if ((types & Types::kInteger) != 0) {
      parts.push_back(schema_integers(schema));
    }
    return choice(std::move(parts));
  }

  static bool has_own_keywords(const OrderedJson& schema) {
    return std::any_of(schema.items().begin(), schema.items().end(), [](const auto& item) {
      const unsigned types = types_of_keyword(item.key());
      return types != 0 && types != Types::kAll;
    });
  }

  /// Keywords beside the options hold for each of them.
  Expr build_options(const OrderedJson& schema, const std::string& path, const char* key) {
    OrderedJson beside = OrderedJson::object();
    for (const auto& [name, value] : schema.items()) {
      if (name != key && !is_annotation(name)) beside[name] = value;
    }
    std::vector<OrderedJson> options;
    for (const OrderedJson& option : schema[key]) {
      options.push_back(beside.empty() ? option : both_schemas(beside, option));
    }
    if (std::string_view(key) == "oneOf") check_disjoint(options, path / key);
    std::vector<Expr> parts;
    for (size_t i = 0; i < options.size(); ++i) {
      parts.push_back(build(options[i], path / key / std::to_string(i)));
    }
    return choice(std::move(parts));
  }

  /// A value that fits two options of `oneOf` would not be valid; a grammar cannot exclude it, so it must not exist.
  void check_disjoint(const std::vector<OrderedJson>& options, const std::string& path) {
    std::vector<OrderedJson> resolved;
    for (const OrderedJson& option : options) resolved.push_back(resolver_.resolve(option, path));
    for (size_t i = 0; i < resolved.size(); ++i) {
      for (size_t j = 0; j < resolved.size(); ++j) {
        if (i == j || resolver_.are_disjoint(resolved[i], resolved[j], path)) continue;
        fail_schema(
            path,
            fmt::format("options {} and {} might both be valid for a value; write anyOf if they may be, or a "
                        "required property with another const in each",
                        std::min(i, j), std::max(i, j)));
      }
    }
  }

  Expr build_values(const OrderedJson& schema, const OrderedJson& values, const std::string& path) {
    for (const auto& [key, value] : schema.items()) {
      if (key == "enum" || key == "const" || key == "type" || is_annotation(key)) continue;
      fail_schema(path, fmt::format("{} beside enum or const is not supported", quoted(key)));
    }
    const bool filtered = schema.contains("enum") && schema.contains("const");
    std::vector<Expr> parts;
    for (const OrderedJson& value : values) {
      const OrderedJson& listed = filtered ? schema["enum"] : values;
      const bool is_listed = std::find(listed.begin(), listed.end(), value) != listed.end();
      if (is_listed && (type_of_value(value) & admitted_types(schema)) != 0)
        parts.push_back(text_.literal(value));
    }
    return choice(std::move(parts));
  }

  Expr build_string(const OrderedJson& schema, const std::string& path) {
    const bool has_length = schema.contains("minLength") || schema.contains("maxLength");
    const bool has_pattern = schema.contains("pattern"), has_format = schema.contains("format");
    if (int{has_length} + int{has_pattern} + int{has_format} > 1) {
      fail_schema(path, "two of 'pattern', 'format' and bounds of the length at once are not supported");
    }
    if (has_pattern) {
      const auto pattern = schema["pattern"].get<std::string>();
      return text_.encoded(
          parse_regex(pattern, fmt::format("JSON schema: {}", shown_path(path / "pattern")), true));
    }
    if (has_format) {
      return text_.encoded(
          parse_regex(pattern_of_format(schema["format"].get<std::string>(), path), "format"));
    }
    const auto [min, max] = counts(schema, "minLength", "maxLength");
    return checked(min <= max ? text_.string(min, max) : nothing(), path);
  }

  static std::pair<uint32_t, uint32_t> counts(const OrderedJson& schema, const char* min, const char* max) {
    return {schema.value(min, uint32_t{0}), schema.value(max, Expr::kUnbounded)};
  }

  static Expr checked(Expr expr, const std::string& path) {
    if (expr.size > kMaxGrammarSize) {
      fail_schema(path,
                  fmt::format("expands to more than {} transitions; write smaller bounds", kMaxGrammarSize));
    }
    return expr;
  }

  /// One rule for each item of prefixItems and what follows it, then a repetition for the other items.
  Expr build_array(const OrderedJson& schema, const std::string& path) {
    const auto [min, max] = counts(schema, "minItems", "maxItems");
    const OrderedJson prefix = schema.value("prefixItems", OrderedJson::array());
    const bool closed = !schema.contains("items") && !prefix.empty();
    const Expr others =
        closed ? nothing()
               : add_rule(path, {build(schema.value("items", OrderedJson(true)), path / "items")});
    const auto n_prefix = static_cast<uint32_t>(std::min<size_t>(prefix.size(), max));

    const auto less = [](uint32_t count, uint32_t taken) {
      return count == Expr::kUnbounded ? count : count - std::min(count, taken);
    };
    const uint32_t first = n_prefix == 0 ? 1 : 0;  // without a comma before it
    const Expr more = sequence({text_.comma(), others});
    const uint32_t from = n_prefix + first;
    const bool can_repeat = max >= from && min <= max;
    Expr tail = can_repeat
                    ? sequence({repeat(more, less(min, from), less(max, from)), text_.space(), bytes("]")})
                    : nothing();
    tail = checked(std::move(tail), path);
    if (n_prefix == 0) tail = sequence({others, std::move(tail)});
    for (uint32_t i = n_prefix; i-- > 0;) {
      std::vector<Expr> item;
      if (i > 0) item.push_back(text_.comma());
      item.push_back(build(prefix[i], path / "prefixItems" / std::to_string(i)));
      item.push_back(std::move(tail));
      std::vector<Expr> parts{sequence(std::move(item))};
      if (i > 0 && i >= min) parts.push_back(sequence({text_.space(), bytes("]")}));
      tail = add_rule(path, std::move(parts));
    }
    std::vector<Expr> parts{std::move(tail)};
    if (min == 0) parts.push_back(bytes("]"));
    return sequence({bytes("["), text_.space(), choice(std::move(parts))});
  }

  struct Property {
    std::string name;
    OrderedJson schema;
    bool required;
  };

  static std::vector<Property> properties(const OrderedJson& schema) {
    const OrderedJson none = OrderedJson::object();
    const OrderedJson& listed = schema.contains("properties") ? schema["properties"] : none;
    const OrderedJson required = schema.value("required", OrderedJson::array());
    std::vector<Property> found;
    for (const auto& [name, property] : listed.items()) {
      found.push_back({name, property, std::find(required.begin(), required.end(), name) != required.end()});
    }
    for (const OrderedJson& name : required) {
      if (listed.contains(name.get<std::string>())) continue;
      const auto is_known = [&](const Property& p) { return p.name == name.get<std::string>(); };
      if (std::any_of(found.begin(), found.end(), is_known)) continue;
      found.push_back(
          {name.get<std::string>(), schema.value("additionalProperties", OrderedJson(true)), true});
    }
    return found;
  }

  /// Two rules for each property, for what may stand from there on if no other property stands before it, or if one
  /// does. So any optional property can be left out, and there is only one way to derive a text.
  Expr build_object(const OrderedJson& schema, const std::string& path) {
    const std::vector<Property> all = properties(schema);
    Expr when_first = bytes("}");
    Expr when_later = sequence({text_.space(), bytes("}")});
    if (const auto others = other_members(schema, all, path)) {
      const Expr more = repeat(sequence({text_.comma(), *others}), 0);
      when_later = add_rule(path, {sequence({more, std::move(when_later)})});
      when_first = add_rule(path, {sequence({*others, when_later}), std::move(when_first)});
    }
    for (size_t i = all.size(); i-- > 0;) {
      const Property& property = all[i];
      const std::string place = path / "properties" / property.name;
      const Expr key = bytes(OrderedJson(property.name).dump());
      const Expr member = add_rule(place, {sequence({key, text_.colon(), build(property.schema, place)})});
      std::vector<Expr> first{sequence({member, when_later})},
          later{sequence({text_.comma(), member, when_later})};
      if (!property.required) {
        first.push_back(std::move(when_first));
        later.push_back(std::move(when_later));
      }
      when_first = add_rule(place, std::move(first));
      when_later = add_rule(place, std::move(later));
    }
    return sequence({bytes("{"), text_.space(), std::move(when_first)});
  }

  /// A member that is not listed; nothing if there may be none.
  std::optional<Expr> other_members(const OrderedJson& schema, const std::vector<Property>& listed,
                                    const std::string& path) {
    const bool open = !schema.contains("properties");
    const OrderedJson others = schema.value("additionalProperties", OrderedJson(open));
    if (others == OrderedJson(false)) return std::nullopt;
    std::vector<std::string> names;
    for (const Property& property : listed) names.push_back(property.name);
    const Expr key = names.empty() ? text_.string(0, Expr::kUnbounded) : text_.string_other_than(names);
    return add_rule(path, {sequence({key, text_.colon(), build(others, path / "additionalProperties")})});
  }

  SchemaResolver resolver_;
  Rules rules_;
  JsonText text_;
  std::map<std::string, uint32_t> shared_;
  std::deque<Todo> todo_;
};

}  // namespace

Rules rules_of_json_schema(std::string_view text) {
  return SchemaCompiler(parse_schema(text)).compile();
}

}  // namespace gptj
