#include "shell/replaced.h"

namespace gptj::apps {

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (size_t at = 0; (at = text.find(from, at)) != text.npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::string filled_in(std::string_view script,
                      const std::vector<std::pair<std::string_view, std::string>>& places) {
  std::string out(script);
  for (const auto& [place, text] : places) out = replaced(std::move(out), place, text);
  return out;
}

}  // namespace gptj::apps
