#include "grammar/rules.h"

#include <algorithm>
#include <utility>

namespace gptj {

namespace {

constexpr uint64_t kHuge = uint64_t{1} << 40;

Expr compound(Expr::Kind kind, std::vector<Expr> parts) {
  Expr made;
  made.kind = kind;
  for (const Expr& part : parts) made.size = std::min(kHuge, made.size + part.size);
  made.parts = std::move(parts);
  return made;
}

}  // namespace

Expr bytes(std::string text) {
  Expr made;
  made.size = 1 + text.size();
  made.bytes = std::move(text);
  return made;
}

Expr chars(CharSet set) {
  Expr made;
  made.kind = Expr::Kind::chars;
  made.size = 1 + set.ranges().size();
  made.chars = std::move(set);
  return made;
}

Expr sequence(std::vector<Expr> parts) {
  return compound(Expr::Kind::sequence, std::move(parts));
}

Expr choice(std::vector<Expr> parts) {
  return compound(Expr::Kind::choice, std::move(parts));
}

Expr repeat(Expr part, uint32_t min, uint32_t max) {
  Expr made;
  made.kind = Expr::Kind::repeat;
  made.min = min;
  made.max = max;
  const uint64_t copies = max == Expr::kUnbounded ? uint64_t{min} + 1 : max;
  made.size = std::min(kHuge, 1 + copies * (part.size + 1));
  made.parts.push_back(std::move(part));
  return made;
}

Expr optional(Expr part) {
  return repeat(std::move(part), 0, 1);
}

Expr rule(uint32_t index) {
  Expr made;
  made.kind = Expr::Kind::rule;
  made.rule = index;
  return made;
}

}  // namespace gptj
