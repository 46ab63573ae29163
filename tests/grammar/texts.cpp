#include "grammar/texts.h"

#include <algorithm>
#include <bit>
#include <iterator>
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

/// The first allowed id from `from` on, or from 0 on; -1: there is none.
int allowed_from(std::span<const uint64_t> mask, size_t from) {
  uint64_t bits = mask[from / 64] >> from % 64 << from % 64;
  for (size_t n = 0; n <= mask.size(); ++n) {
    const size_t word = (from / 64 + n) % mask.size();
    if (n > 0) bits = mask[word];
    if (bits != 0) return static_cast<int>(word * 64) + std::countr_zero(bits);
  }
  return -1;
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
  GrammarMatcher matcher(grammar, {tokenizer, tokenizer.n_tokens()});
  for (const int id : tokenizer.encode(text)) {
    if (!is_allowed(matcher, id)) return false;
    matcher.accept(id);
  }
  return matcher.may_end();
}

std::string random_text(const Grammar& grammar, const Tokenizer& tokenizer, std::mt19937& random, int n) {
  constexpr int kPatience = 3000;
  GrammarMatcher matcher(grammar, {tokenizer, tokenizer.n_tokens()});
  std::vector<int> closing;
  for (const char* c : {"\\", "\"", "]", "}", ")", "b"}) closing.push_back(tokenizer.encode(c).front());
  std::string text;
  for (int i = 0; !matcher.must_end() && !(i >= n && matcher.may_end()); ++i) {
    if (i > n + kPatience) throw std::runtime_error("no end of " + text.substr(0, 200));
    const auto any = static_cast<size_t>(tokenizer.n_tokens());
    int drawn = allowed_from(matcher.allowed(), random() % any);
    if (drawn < 0) throw std::runtime_error("nothing may follow " + text.substr(0, 200));
    if (i >= n && random() % 4 != 0) {
      std::vector<int> closes;
      std::copy_if(closing.begin(), closing.end(), std::back_inserter(closes),
                   [&](int id) { return is_allowed(matcher, id); });
      if (!closes.empty()) drawn = closes[random() % closes.size()];
    }
    if (drawn == tokenizer.eos()) break;
    matcher.accept(drawn);
    text += tokenizer.decode(drawn);
  }
  return text;
}

}  // namespace gptj::test
