#include "grammar/regex.h"

#include <optional>
#include <utility>

#include "grammar/scanner.h"

namespace gptj {

namespace {

constexpr size_t kMaxBytes = 1 << 16;

/// \d, \w and \s of ASCII, as in RE2, and as ECMAScript's \d and \w.
std::optional<CharSet> named_class(uint32_t letter) {
  switch (letter) {
    case 'd':
      return CharSet({{'0', '9'}});
    case 'w':
      return CharSet({{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}});
    case 's':
      return CharSet({{'\t', '\r'}, {' ', ' '}});
    case 'D':
    case 'W':
    case 'S':
      return named_class(letter + ('a' - 'A'))->complement();
    default:
      return std::nullopt;
  }
}

/// The dot matches everything but what ECMAScript calls line terminators.
CharSet dot() {
  return CharSet({{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}}).complement();
}

CharSet one(uint32_t c) {
  return CharSet({{c, c}});
}

class RegexParser {
 public:
  RegexParser(std::string_view pattern, const std::string& source, bool search)
      : scanner_(pattern, source, false, kMaxBytes), search_(search) {}

  Expr parse() {
    Expr expr = parse_choice(0);
    if (!scanner_.at_end()) scanner_.fail_at(scanner_.at(), "this ')' closes nothing");
    return expr;
  }

 private:
  Expr parse_choice(int nesting) {
    std::vector<Expr> parts;
    do {
      parts.push_back(nesting == 0 ? parse_alternative() : parse_sequence(nesting));
    } while (scanner_.take_if("|"));
    return parts.size() == 1 ? std::move(parts.front()) : choice(std::move(parts));
  }

  /// An alternative outside of groups: only there anchors are allowed.
  Expr parse_alternative() {
    const bool at_begin = scanner_.take_if("^");
    Expr expr = parse_sequence(0);
    const bool at_end = scanner_.take_if("$");
    if (at_end && !scanner_.at_end() && !scanner_.looking_at("|")) {
      scanner_.fail_at(scanner_.at(), "expected the end after '$', which may stand nowhere else");
    }
    if (!search_) return expr;
    const Expr anything = repeat(chars(CharSet::all()), 0);
    std::vector<Expr> parts;
    if (!at_begin) parts.push_back(anything);
    parts.push_back(std::move(expr));
    if (!at_end) parts.push_back(anything);
    return sequence(std::move(parts));
  }

  Expr parse_sequence(int nesting) {
    std::vector<Expr> parts;
    while (!scanner_.at_end() && !scanner_.looking_at("|") && !scanner_.looking_at(")")) {
      if (nesting == 0 && scanner_.looking_at("$")) break;
      const size_t begin = scanner_.at();
      Expr part = parse_repeat(parse_item(nesting), begin);
      parts.push_back(std::move(part));
    }
    return parts.size() == 1 ? std::move(parts.front()) : sequence(std::move(parts));
  }

  Expr parse_item(int nesting) {
    const size_t begin = scanner_.at();
    switch (const uint32_t c = scanner_.take()) {
      case '(':
        return parse_group(begin, nesting);
      case '[':
        return chars(parse_class(begin));
      case '.':
        return chars(dot());
      case '\\':
        return chars(parse_escape(begin));
      case '*':
      case '+':
      case '?':
      case '{':
        scanner_.fail_at(begin, "nothing stands before {} to be repeated; for the character write {}",
                         quoted(utf8(c)), quoted("\\" + utf8(c)));
      case '^':
      case '$':
        scanner_.fail_at(begin, "{} may stand only at the {} of the expression; for the character write {}",
                         quoted(utf8(c)), c == '^' ? "beginning" : "end", quoted("\\" + utf8(c)));
      default:
        return chars(one(c));
    }
  }

  Expr parse_group(size_t begin, int nesting) {
    if (nesting == kMaxNesting) scanner_.fail_at(begin, "parentheses nest more than {} deep", kMaxNesting);
    for (const std::string_view look : {"?=", "?!", "?<=", "?<!"}) {
      if (scanner_.looking_at(look))
        scanner_.fail_at(begin, "lookaround, {}, is not supported", quoted(look));
    }
    if (!scanner_.take_if("?:") && scanner_.looking_at("?")) {
      scanner_.fail_at(begin, "of groups that begin with '(?' only '(?:' is supported");
    }
    Expr group = parse_choice(nesting + 1);
    if (!scanner_.take_if(")")) scanner_.fail_at(begin, "this '(' is not closed");
    return group;
  }

  Expr parse_repeat(Expr expr, size_t begin) {
    const auto bounds = scanner_.take_repetition();
    if (!bounds) return expr;
    scanner_.take_if("?");  // lazy: it matches the same texts
    for (const std::string_view more : {"*", "+", "?", "{"}) {
      if (scanner_.looking_at(more)) {
        scanner_.fail_at(scanner_.at(), "a repetition of a repetition wants parentheses");
      }
    }
    Expr repeated = repeat(std::move(expr), bounds->first, bounds->second);
    scanner_.check_size(repeated, begin);
    return repeated;
  }

  CharSet parse_class(size_t begin) {
    const bool inverted = scanner_.take_if("^");
    std::vector<CharSet::Range> ranges;
    bool first = true;
    for (; first || !scanner_.looking_at("]"); first = false) {
      if (scanner_.at_end()) scanner_.fail_at(begin, "this class has no end ']'");
      if (first && scanner_.looking_at("]"))
        scanner_.fail_at(scanner_.at(), "expected '\\]' for the character ']'");
      add_range(begin, ranges);
    }
    scanner_.take();
    const CharSet listed(ranges);
    CharSet set = inverted ? listed.complement() : listed;
    if (set.empty()) scanner_.fail_at(begin, "no character is in this class");
    return set;
  }

  void add_range(size_t begin, std::vector<CharSet::Range>& ranges) {
    const size_t at = scanner_.at();
    const CharSet low = take_class_item();
    if (!scanner_.looking_at("-") || scanner_.looking_at("-]")) {
      ranges.insert(ranges.end(), low.ranges().begin(), low.ranges().end());
      return;
    }
    scanner_.take();
    if (scanner_.at_end()) scanner_.fail_at(begin, "this class has no end ']'");
    const CharSet high = take_class_item();
    const auto single = [&](const CharSet& set) {
      const auto& r = set.ranges();
      if (r.size() != 1 || r[0].first != r[0].last)
        scanner_.fail_at(at, "a range is from one character to another");
      return r[0].first;
    };
    ranges.push_back({single(low), single(high)});
    if (ranges.back().last < ranges.back().first) scanner_.fail_at(at, "this range ends before it begins");
  }

  CharSet take_class_item() {
    const size_t begin = scanner_.at();
    if (scanner_.looking_at("[:"))
      scanner_.fail_at(begin, "classes by name are not supported; for '[' write '\\['");
    if (scanner_.take_if("\\b")) return one('\b');
    const uint32_t c = scanner_.take();
    return c == '\\' ? parse_escape(begin) : one(c);
  }

  /// After the backslash, which stands at `begin`.
  CharSet parse_escape(size_t begin) {
    const uint32_t c = scanner_.take();
    if (const auto named = named_class(c)) return *named;
    switch (c) {
      case 'n':
        return one('\n');
      case 't':
        return one('\t');
      case 'r':
        return one('\r');
      case 'f':
        return one('\f');
      case 'v':
        return one('\v');
      case 'x':
        return one(scanner_.take_hex(2));
      case 'u':
        return one(scanner_.take_hex(4));
      case 'b':
      case 'B':
        scanner_.fail_at(begin, "boundaries of words, {}, are not supported", quoted(scanner_.since(begin)));
      case Scanner::kEnd:
        scanner_.fail_at(begin, "nothing follows the backslash");
      default:
        break;
    }
    if (c >= '1' && c <= '9')
      scanner_.fail_at(begin, "references back, {}, are not supported", quoted(scanner_.since(begin)));
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '0';
    if (is_letter || c > 0x7e) {
      scanner_.fail_at(begin,
                       "expected one of the escapes \\d \\w \\s \\D \\W \\S \\n \\t \\r \\f \\v \\xHH "
                       "\\uHHHH or one of a sign, found {}",
                       quoted(scanner_.since(begin)));
    }
    return one(c);
  }

  Scanner scanner_;
  bool search_;
};

}  // namespace

Expr parse_regex(std::string_view pattern, const std::string& source, bool search) {
  return RegexParser(pattern, source, search).parse();
}

}  // namespace gptj
