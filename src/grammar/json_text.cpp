#include "grammar/json_text.h"

#include <fmt/format.h>

#include <array>
#include <map>
#include <utility>

#include "grammar/number_text.h"

namespace gptj {

namespace {

/// Characters that strings may contain unescaped.
CharSet raw_chars() {
  return CharSet({{0, 0x1f}, {'"', '"'}, {'\\', '\\'}}).complement();
}

/// A character and the letter that stands for it behind a backslash.
constexpr std::array<std::pair<char, char>, 7> kEscapes{
    {{'"', '"'}, {'\\', '\\'}, {'\b', 'b'}, {'\f', 'f'}, {'\n', 'n'}, {'\r', 'r'}, {'\t', 't'}}};

/// The escape of one of these characters, none of which may stand unescaped.
Expr escapes(CharSet set) {
  std::vector<Expr> parts;
  for (const auto& [meant, letter] : kEscapes) {
    const uint32_t c = static_cast<unsigned char>(meant);
    if (!set.has(c)) continue;
    parts.push_back(bytes({'\\', letter}));
    set = set.without(CharSet({{c, c}}));
  }
  for (const CharSet::Range& range : set.ranges()) {
    for (uint32_t c = range.first; c <= range.last; ++c) {
      const std::string lower = fmt::format("\\u{:04x}", c), upper = fmt::format("\\u{:04X}", c);
      parts.push_back(bytes(lower));
      if (upper != lower) parts.push_back(bytes(upper));
    }
  }
  return choice(std::move(parts));
}

Expr hex(const char* first, const char* last, uint32_t n) {
  std::vector<CharSet::Range> ranges;
  for (; *first != '\0'; ++first, ++last) {
    ranges.push_back({static_cast<uint32_t>(*first), static_cast<uint32_t>(*last)});
  }
  return repeat(chars(CharSet(ranges)), n, n);
}

/// A \u escape of a character, or the two that are the halves of one.
Expr unicode_escape() {
  const auto any = [](uint32_t n) { return hex("0Aa", "9Ff", n); };
  const auto surrogate = [&](const char* first, const char* last) {
    return sequence({bytes("\\u"), hex("Dd", "Dd", 1), hex(first, last, 1), any(2)});
  };
  const Expr single = choice({sequence({hex("0AEae", "9CFcf", 1), any(3)}),
                              sequence({hex("Dd", "Dd", 1), hex("0", "7", 1), any(2)})});
  return choice(
      {sequence({bytes("\\u"), single}), sequence({surrogate("8Aa", "9Bb"), surrogate("Cc", "Ff")})});
}

}  // namespace

Expr JsonText::shared(std::optional<uint32_t>& index, const char* name, Expr (JsonText::*make)()) {
  if (!index) {
    index = static_cast<uint32_t>(rules_.rules.size());
    rules_.rules.push_back({name, name, {}});
    Expr made = (this->*make)();  // may use the rule
    rules_.rules[*index].expr = std::move(made);
  }
  return rule(*index);
}

Expr JsonText::add_rule(const char* name, Expr expr) {
  rules_.rules.push_back({name, name, std::move(expr)});
  return rule(static_cast<uint32_t>(rules_.rules.size()) - 1);
}

Expr JsonText::space() {
  return shared(space_, "white space", &JsonText::make_space);
}

Expr JsonText::make_space() {
  return optional(choice({bytes(" "), sequence({bytes("\n"), repeat(bytes(" "), 0, 20)})}));
}

Expr JsonText::make_character() {
  return choice({chars(raw_chars()),
                 sequence({bytes("\\"), chars(CharSet({{'"', '"'},
                                                       {'/', '/'},
                                                       {'\\', '\\'},
                                                       {'b', 'b'},
                                                       {'f', 'f'},
                                                       {'n', 'n'},
                                                       {'r', 'r'},
                                                       {'t', 't'}}))}),
                 unicode_escape()});
}

Expr JsonText::string(uint32_t min_length, uint32_t max_length) {
  const Expr character = shared(character_, "character", &JsonText::make_character);
  return sequence({bytes("\""), repeat(character, min_length, max_length), bytes("\"")});
}

Expr JsonText::value() {
  return shared(value_, "value", &JsonText::make_value);
}

Expr JsonText::make_value() {
  const Expr key = string(0, Expr::kUnbounded);
  return choice({key, numbers({}, {}), bytes("true"), bytes("false"), bytes("null"), list_of("[]", value()),
                 list_of("{}", sequence({key, colon(), value()}))});
}

Expr JsonText::list_of(const char* brackets, const Expr& item) {
  return enclosed(brackets, {optional(sequence({item, repeat(sequence({comma(), item}), 0), space()}))});
}

Expr JsonText::enclosed(const char* brackets, std::vector<Expr> inside) {
  inside.insert(inside.begin(), sequence({bytes({brackets[0]}), space()}));
  inside.push_back(bytes({brackets[1]}));
  return sequence(std::move(inside));
}

Expr JsonText::literal(const OrderedJson& value) {
  if (!value.is_structured()) return bytes(value.dump());
  std::vector<Expr> inside;
  for (const auto& [key, item] : value.items()) {
    if (!inside.empty()) inside.push_back(comma());
    if (value.is_object()) {
      inside.push_back(bytes(OrderedJson(key).dump()));
      inside.push_back(colon());
    }
    inside.push_back(literal(item));
  }
  if (!inside.empty()) inside.push_back(space());
  return enclosed(value.is_object() ? "{}" : "[]", std::move(inside));
}

Expr JsonText::make_escape() {
  return escapes(raw_chars().complement());
}

Expr JsonText::encoded_chars(const CharSet& set) {
  std::vector<Expr> parts;
  if (const CharSet raw = set.within(raw_chars()); !raw.empty()) parts.push_back(chars(raw));
  if (raw_chars().complement().without(set).empty()) {
    parts.push_back(shared(escape_, "escape", &JsonText::make_escape));
  } else {
    parts.push_back(escapes(set.without(raw_chars())));
  }
  return choice(std::move(parts));
}

Expr JsonText::encoded_inside(const Expr& content) {
  if (content.kind == Expr::Kind::chars) return encoded_chars(content.chars);
  std::vector<Expr> parts;
  for (const Expr& part : content.parts) parts.push_back(encoded_inside(part));
  if (content.kind == Expr::Kind::repeat) return repeat(std::move(parts.front()), content.min, content.max);
  return content.kind == Expr::Kind::choice ? choice(std::move(parts)) : sequence(std::move(parts));
}

/// A tree of the values' characters, with a rule for each node: what leaves the tree is another string.
Expr JsonText::string_other_than(const std::vector<std::string>& values) {
  struct Node {
    bool is_value = false;
    std::map<uint32_t, size_t> children;
  };
  std::vector<Node> nodes(1);
  for (const std::string& value : values) {
    size_t at = 0;
    for (const uint32_t c : code_points(value)) {
      const size_t child = nodes[at].children.try_emplace(c, nodes.size()).first->second;
      if (child == nodes.size()) nodes.emplace_back();
      at = child;
    }
    nodes[at].is_value = true;
  }
  const Expr any_rest = sequence({repeat(encoded_chars(CharSet::all()), 0), bytes("\"")});
  const Expr rest = add_rule("rest of a key", any_rest);
  const auto first = static_cast<uint32_t>(rules_.rules.size());
  for (const Node& node : nodes) {
    std::vector<Expr> parts;
    if (!node.is_value) parts.push_back(bytes("\""));
    std::vector<CharSet::Range> others;
    for (const auto& [c, child] : node.children) {
      others.push_back({c, c});
      parts.push_back(
          sequence({encoded_chars(CharSet({{c, c}})), rule(first + static_cast<uint32_t>(child))}));
    }
    parts.push_back(sequence({encoded_chars(CharSet(others).complement()), rest}));
    add_rule("another key", choice(std::move(parts)));
  }
  return sequence({bytes("\""), rule(first)});
}

}  // namespace gptj
