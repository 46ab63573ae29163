#include "text/added_tokens.h"

#include <algorithm>

#include "text/unicode.h"

namespace gptj {

namespace {

bool is_space_at(std::string_view text, size_t at) {
  return char_class(char_at(text, at).code_point) == CharClass::space;
}

bool is_word_around(std::string_view text, size_t begin, size_t end) {
  return (begin > 0 && is_word_char(char_before(text, begin).code_point)) ||
         (end < text.size() && is_word_char(char_at(text, end).code_point));
}

size_t begin_of_space(std::string_view text, size_t end, size_t limit) {
  while (end > limit) {
    const Char c = char_before(text, end);
    if (char_class(c.code_point) != CharClass::space) break;
    end -= c.size;
  }
  return end;
}

size_t end_of_space(std::string_view text, size_t at) {
  while (at < text.size() && is_space_at(text, at)) at += char_at(text, at).size;
  return at;
}

}  // namespace

void AddedTokens::Pass::add(const AddedToken& token) {
  tokens_.push_back(token);
  begins_[static_cast<unsigned char>(token.text.front())] = true;
}

void AddedTokens::Pass::sort() {
  std::stable_sort(tokens_.begin(), tokens_.end(),
                   [](const AddedToken& a, const AddedToken& b) { return a.text < b.text; });
}

/// Walks down a trie, for which the sorted list stands: [first, last) are the tokens that agree with the text so far,
/// the shortest first.
const AddedToken* AddedTokens::Pass::longest_at(std::string_view text, size_t at) const {
  if (!begins_[static_cast<unsigned char>(text[at])]) return nullptr;
  const AddedToken* longest = nullptr;
  auto first = tokens_.begin();
  auto last = tokens_.end();
  for (size_t depth = 0; first != last && at + depth < text.size(); ++depth) {
    const auto byte = [depth](const AddedToken& token) {
      return depth < token.text.size() ? static_cast<unsigned char>(token.text[depth]) : -1;
    };
    const int wanted = static_cast<unsigned char>(text[at + depth]);
    first = std::partition_point(first, last, [&](const AddedToken& t) { return byte(t) < wanted; });
    last = std::partition_point(first, last, [&](const AddedToken& t) { return byte(t) == wanted; });
    if (first != last && first->text.size() == depth + 1) longest = &*first;
  }
  return longest;
}

void AddedTokens::Pass::split(std::string_view text, std::vector<Segment>& segments) const {
  size_t done = 0;  // the text before this place is in `segments`
  for (size_t at = 0; at < text.size();) {
    const AddedToken* token = longest_at(text, at);
    if (token == nullptr) {
      ++at;
      continue;
    }
    size_t begin = at;
    size_t end = at + token->text.size();
    at = end;
    if (token->single_word && is_word_around(text, begin, end)) continue;
    // A token that strips on its right may have taken `done` beyond the beginning of this one, or its end.
    if (token->lstrip) begin = begin_of_space(text, std::max(begin, done), done);
    if (token->rstrip) end = end_of_space(text, std::max(end, done));
    if (begin >= end) continue;  // the other token has swallowed all of this one
    if (done < begin) segments.push_back({text.substr(done, begin - done)});
    segments.push_back({{}, token->id});
    done = end;
  }
  if (done < text.size()) segments.push_back({text.substr(done)});
}

AddedTokens::AddedTokens(const std::vector<AddedToken>& tokens) {
  for (const AddedToken& token : tokens) {
    if (token.text.empty()) continue;
    (token.normalized ? normalized_ : raw_).add(token);
  }
  raw_.sort();
  normalized_.sort();
}

std::vector<Segment> AddedTokens::split(std::string_view text) const {
  std::vector<Segment> coarse, fine;
  raw_.split(text, coarse);
  for (const Segment& segment : coarse) {
    if (segment.id == Segment::kText) {
      normalized_.split(segment.text, fine);
    } else {
      fine.push_back(segment);
    }
  }
  return fine;
}

}  // namespace gptj
