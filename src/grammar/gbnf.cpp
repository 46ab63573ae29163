#include "grammar/gbnf.h"

#include <map>
#include <utility>

#include "grammar/scanner.h"

namespace gptj {

namespace {

constexpr size_t kMaxBytes = 1 << 20;

bool is_name_char(uint32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

class GbnfParser {
 public:
  explicit GbnfParser(std::string_view text) : scanner_(text, "grammar", true, kMaxBytes) {
    rules_.source = "grammar";
    rules_.every_rule_must_end = true;
    index_of("root", 0);
  }

  Rules parse() {
    for (skip_space(true); !scanner_.at_end(); skip_space(true)) parse_rule();
    for (size_t i = 0; i < rules_.rules.size(); ++i) {
      if (is_defined_[i]) continue;
      if (i == 0) {
        scanner_.fail_expected("a rule 'root' (root ::= ...), which says what the text is");
      }
      scanner_.fail_at(first_use_[i], "there is no rule {}", quoted(rules_.rules[i].name));
    }
    return std::move(rules_);
  }

 private:
  /// The index of the rule with this name, which stands at `at`.
  uint32_t index_of(const std::string& name, size_t at) {
    const auto [found, is_new] = index_.try_emplace(name, static_cast<uint32_t>(rules_.rules.size()));
    if (is_new) {
      rules_.rules.push_back({name, {}, {}});
      is_defined_.push_back(false);
      first_use_.push_back(at);
    }
    return found->second;
  }

  /// Skips white space and comments, and with `newlines`, where a rule cannot end, the ends of lines.
  void skip_space(bool newlines) {
    for (uint32_t c = scanner_.peek();
         c == ' ' || c == '\t' || c == '#' || (newlines && (c == '\n' || c == '\r')); c = scanner_.peek()) {
      if (c != '#') {
        scanner_.take();
      } else {
        while (!scanner_.at_end() && scanner_.peek() != '\n' && scanner_.peek() != '\r') scanner_.take();
      }
    }
  }

  std::string take_name() {
    const size_t begin = scanner_.at();
    while (is_name_char(scanner_.peek())) scanner_.take();
    if (scanner_.at() == begin) scanner_.fail_expected("the name of a rule (letters, digits, '-')");
    return std::string(scanner_.since(begin));
  }

  void parse_rule() {
    const size_t begin = scanner_.at();
    const uint32_t index = index_of(take_name(), begin);
    const std::string name = rules_.rules[index].name;
    if (is_defined_[index]) {
      scanner_.fail_at(begin, "there are two rules {}; the first is at {}", quoted(name),
                       rules_.rules[index].where);
    }
    skip_space(false);
    if (!scanner_.take_if("::=")) scanner_.fail_expected("'::=' after the rule's name");
    skip_space(true);
    Expr expr = parse_choice(0);
    if (!scanner_.at_end() && scanner_.peek() != '\n' && scanner_.peek() != '\r') {
      scanner_.fail_expected("a literal, a class, a rule's name, '(', '|' or the end of the line");
    }
    rules_.rules[index].where = scanner_.where(begin);
    rules_.rules[index].expr = std::move(expr);
    is_defined_[index] = true;
  }

  Expr parse_choice(int nesting) {
    std::vector<Expr> parts;
    do {
      skip_space(true);
      parts.push_back(parse_sequence(nesting));
    } while (goes_on() && scanner_.take_if("|"));
    return parts.size() == 1 ? std::move(parts.front()) : choice(std::move(parts));
  }

  /// Whether another alternative follows, if need be on a line of its own.
  bool goes_on() {
    const size_t at = scanner_.at();
    skip_space(true);
    if (scanner_.looking_at("|")) return true;
    scanner_.go_to(at);
    return false;
  }

  Expr parse_sequence(int nesting) {
    std::vector<Expr> parts;
    while (is_name_char(scanner_.peek()) || scanner_.looking_at("\"") || scanner_.looking_at("[") ||
           scanner_.looking_at("(") || scanner_.looking_at(".")) {
      const size_t begin = scanner_.at();
      Expr part = parse_repeats(parse_item(nesting), begin);
      parts.push_back(std::move(part));
      skip_space(nesting > 0);
    }
    return parts.size() == 1 ? std::move(parts.front()) : sequence(std::move(parts));
  }

  Expr parse_item(int nesting) {
    const size_t begin = scanner_.at();
    if (scanner_.take_if("\"")) return parse_literal(begin);
    if (scanner_.take_if("[")) return parse_class(begin);
    if (scanner_.take_if(".")) return chars(CharSet::all());
    if (!scanner_.take_if("(")) return rule(index_of(take_name(), begin));
    if (nesting == kMaxNesting) scanner_.fail_at(begin, "parentheses nest more than {} deep", kMaxNesting);
    Expr group = parse_choice(nesting + 1);
    skip_space(true);
    if (!scanner_.take_if(")")) scanner_.fail_expected("')'");
    return group;
  }

  Expr parse_repeats(Expr expr, size_t begin) {
    constexpr int kMaxRepeats = 4;  // of each other: nobody needs more, and recursion walks them later
    for (int n = 0;; ++n) {
      skip_space(false);
      const size_t at = scanner_.at();
      const auto bounds = scanner_.take_repetition();
      if (!bounds) return expr;
      if (n == kMaxRepeats) scanner_.fail_at(at, "more than {} repetitions of repetitions", kMaxRepeats);
      expr = repeat(std::move(expr), bounds->first, bounds->second);
      scanner_.check_size(expr, begin);
    }
  }

  Expr parse_literal(size_t begin) {
    std::string text;
    while (!scanner_.take_if("\"")) {
      if (scanner_.at_end()) scanner_.fail_at(begin, "this literal has no end '\"'");
      text += utf8(take_char());
    }
    return bytes(std::move(text));
  }

  Expr parse_class(size_t begin) {
    const bool inverted = scanner_.take_if("^");
    std::vector<CharSet::Range> ranges;
    while (!scanner_.take_if("]")) {
      if (scanner_.at_end()) scanner_.fail_at(begin, "this class has no end ']'");
      const size_t at = scanner_.at();
      const uint32_t first = take_char();
      uint32_t last = first;
      if (scanner_.looking_at("-") && !scanner_.looking_at("-]")) {
        scanner_.take();
        if (scanner_.at_end()) scanner_.fail_at(begin, "this class has no end ']'");
        last = take_char();
      }
      if (last < first) scanner_.fail_at(at, "this range ends before it begins");
      ranges.push_back({first, last});
    }
    const CharSet listed(ranges);
    const CharSet set = inverted ? listed.complement() : listed;
    if (set.empty()) scanner_.fail_at(begin, "no character is in this class");
    return chars(set);
  }

  uint32_t take_char() {
    const size_t at = scanner_.at();
    const uint32_t c = scanner_.take();
    if (c != '\\') return c;
    switch (const uint32_t escape = scanner_.take()) {
      case 'n':
        return '\n';
      case 't':
        return '\t';
      case 'r':
        return '\r';
      case 'x':
        return scanner_.take_hex(2);
      case 'u':
        return scanner_.take_hex(4);
      case 'U':
        return scanner_.take_hex(8);
      case '"':
      case '\\':
      case '[':
      case ']':
      case '-':
      case '^':
        return escape;
      default:
        scanner_.fail_at(
            at, R"(expected one of the escapes \n \t \r \" \\ \[ \] \- \^ \xHH \uHHHH \UHHHHHHHH, found {})",
            quoted(scanner_.since(at)));
    }
  }

  Scanner scanner_;
  Rules rules_;
  std::map<std::string, uint32_t> index_;
  std::vector<bool> is_defined_;
  std::vector<size_t> first_use_;  // of each rule
};

}  // namespace

Rules parse_gbnf(std::string_view text) {
  return GbnfParser(text).parse();
}

}  // namespace gptj
