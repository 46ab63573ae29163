#include "grammar/texts.h"

#include <bit>
#include <stdexcept>
#include <vector>

#include "text/vocab_files.h"

namespace gptj::test {

namespace {

Tokenizer make_byte_tokenizer() {
  Vocab vocab;
  for (int byte = 0; byte < 256; ++byte) vocab.tokens.emplace_back(1, static_cast<char>(byte));
  vocab.tokens.emplace_back("<|endoftext|>");
  vocab.added.push_back({.id = 256, .text = vocab.tokens.back()});
  vocab.eos = 256;
  return Tokenizer(std::move(vocab));
}

std::vector<int> ids_of(std::span<const uint64_t> mask) {
  std::vector<int> ids;
  for (size_t word = 0; word < mask.size(); ++word) {
    for (uint64_t bits = mask[word]; bits != 0; bits &= bits - 1) {
      ids.push_back(static_cast<int>(word * 64) + std::countr_zero(bits));
    }
  }
  return ids;
}

}  // namespace

const Tokenizer& byte_tokenizer() {
  static const Tokenizer tokenizer = make_byte_tokenizer();
  return tokenizer;
}

const Tokenizer& gpt2_tokenizer() {
  static const Tokenizer tokenizer(read_vocab_directory(GPTJ_TEST_DATA "/tokenizer/gpt2"));
  return tokenizer;
}

bool is_allowed(GrammarMatcher& matcher, int id) {
  const auto bit = static_cast<size_t>(id);
  return (matcher.allowed()[bit / 64] >> bit % 64 & 1) != 0;
}

bool accepts(const Grammar& grammar, const Tokenizer& tokenizer, std::string_view text) {
  GrammarMatcher matcher(grammar, tokenizer, tokenizer.n_tokens());
  for (const int id : tokenizer.encode(text)) {
    if (!is_allowed(matcher, id)) return false;
    matcher.accept(id);
  }
  return matcher.may_end();
}

std::string random_text(const Grammar& grammar, const Tokenizer& tokenizer, std::mt19937& random, int n) {
  constexpr int kPatience = 3000;
  GrammarMatcher matcher(grammar, tokenizer, tokenizer.n_tokens());
  std::vector<int> closing;
  for (const char* c : {"\\", "\"", "]", "}"}) closing.push_back(tokenizer.encode(c).front());
  std::string text;
  for (int i = 0; !matcher.must_end() && !(i >= n && matcher.may_end()); ++i) {
    if (i > n + kPatience) throw std::runtime_error("no end of " + text.substr(0, 200));
    const std::vector<int> ids = ids_of(matcher.allowed());
    if (ids.empty()) throw std::runtime_error("nothing may follow " + text);
    int drawn = ids[random() % ids.size()];
    if (i >= n) {
      for (const int id : closing) {
        if (random() % 2 == 0 && is_allowed(matcher, id)) drawn = id;
      }
    }
    if (drawn == tokenizer.eos()) break;
    matcher.accept(drawn);
    text += tokenizer.decode(drawn);
  }
  return text;
}

}  // namespace gptj::test
