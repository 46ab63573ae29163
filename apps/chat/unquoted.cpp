#include "chat/unquoted.h"

namespace gptj::apps {

std::optional<std::string> unquoted(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::nullopt;
  text = text.substr(1, text.size() - 2);
  constexpr std::string_view kEscapes = "nt\"\\", kMeant = "\n\t\"\\";
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') return std::nullopt;
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    const size_t which = ++i < text.size() ? kEscapes.find(text[i]) : kEscapes.npos;
    if (which == kEscapes.npos) return std::nullopt;
    out += kMeant[which];
  }
  return out;
}

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

}  // namespace gptj::apps
