#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/sanitized.h"
#include "gptj/error.h"
#include "grammar/texts.h"

namespace gptj::test {

/// A grammar, and texts that are in it or not.
struct Language {
  std::string grammar;
  std::vector<std::string> accepted, rejected;
};

/// Byte by byte and, of the first of the texts, in GPT-2's tokens; and what is drawn at random from it is accepted.
inline void expect_language(const Grammar& grammar, const Language& language) {
  SCOPED_TRACE(language.grammar);
  for (const auto& text : language.accepted) {
    EXPECT_TRUE(accepts(grammar, byte_tokenizer(), text)) << testing::PrintToString(text);
  }
  for (const auto& text : language.rejected) {
    EXPECT_FALSE(accepts(grammar, byte_tokenizer(), text)) << testing::PrintToString(text);
  }
  std::mt19937 random(1);
  const Tokenizer& other = kSanitized ? byte_tokenizer() : gpt2_tokenizer();  // a large one takes its time
  EXPECT_TRUE(accepts(grammar, other, language.accepted[0])) << language.accepted[0];
  EXPECT_FALSE(accepts(grammar, other, language.rejected[0])) << language.rejected[0];
  const std::string text = random_text(grammar, other, random, 5);
  EXPECT_TRUE(accepts(grammar, byte_tokenizer(), text)) << testing::PrintToString(text);
}

/// What cannot be a grammar, and the message.
struct Mistake {
  std::string grammar;
  std::string message;
};

inline void expect_mistake(Grammar (*make)(std::string_view), const Mistake& mistake) {
  SCOPED_TRACE(testing::PrintToString(mistake.grammar.substr(0, 200)));
  try {
    make(mistake.grammar);
    ADD_FAILURE() << "expected the error " << mistake.message;
  } catch (const Error& error) {
    EXPECT_EQ(error.what(), mistake.message);
  }
}

}  // namespace gptj::test
