#pragma once

#include <random>
#include <string>
#include <string_view>

#include "gptj/grammar.h"
#include "gptj/tokenizer.h"

namespace gptj::test {

/// The 256 bytes (id = byte) and <|endoftext|>.
const Tokenizer& byte_tokenizer();

/// GPT-2's, of 50,257 tokens.
const Tokenizer& gpt2_tokenizer();

inline constexpr int kNVocab = 50400;  // GPT-J's

bool is_allowed(GrammarMatcher& matcher, int id);

/// Whether `text`, as the tokenizer would cut it, can be written and may end there.
bool accepts(const Grammar& grammar, const Tokenizer& tokenizer, std::string_view text);

/// Draws allowed tokens until the text must end, or may end and has `n` tokens; from then on more often those that close what
/// is open: quotes and brackets, and b, which patterns of these tests want. Throws std::runtime_error if that does not help, or
/// if nothing is allowed.
std::string random_text(const Grammar& grammar, const Tokenizer& tokenizer, std::mt19937& random, int n);

}  // namespace gptj::test
