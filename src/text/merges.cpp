#include "text/merges.h"

#include "base/error.h"
#include "text/byte_alphabet.h"

namespace gptj {

std::optional<MergedTexts> parse_merge(std::string_view line) {
  const size_t space = line.find(' ');
  if (space == std::string_view::npos || space == 0 || space + 1 == line.size()) return {};
  if (line.find(' ', space + 1) != std::string_view::npos) return {};
  return MergedTexts{token_bytes(line.substr(0, space)), token_bytes(line.substr(space + 1))};
}

int token_of_merge(const TokenIndex& index, std::string_view token, std::string_view source, size_t rank,
                   std::string_view left, std::string_view right) {
  const int id = index.find(token);
  if (id == TokenIndex::kNone) {
    fail("{}: merge {} of {} and {}: expected {} in the vocabulary, found no such token", quoted(source),
         rank, quoted(left), quoted(right), quoted(token));
  }
  return id;
}

std::vector<std::pair<int, int>> merges_by_id(const std::vector<MergedTexts>& merges,
                                              const std::vector<std::string>& tokens,
                                              std::string_view source) {
  const TokenIndex index(tokens);
  std::vector<std::pair<int, int>> ids;
  ids.reserve(merges.size());
  for (const auto& [left, right] : merges) {
    const auto id_of = [&, &left = left, &right = right](const std::string& token) {
      return token_of_merge(index, token, source, ids.size(), left, right);
    };
    const int first = id_of(left);
    ids.emplace_back(first, id_of(right));
  }
  return ids;
}

}  // namespace gptj
