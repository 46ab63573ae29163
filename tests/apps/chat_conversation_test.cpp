// How a conversation becomes tokens, and which of them the model sees.

#include <gtest/gtest.h>

#include "chat/window.h"
#include "gptj/model.h"
#include "process.h"

namespace gptj::apps {
namespace {

const Preset kPreset = {
    .name = "test", .system = {"<", ">\n"}, .user = {"You: ", "\n"}, .assistant = {"Bot: ", "\n"}};

const Tokenizer& tokenizer() {
  static const Tokenizer t = open_tokenizer(test::kDemoGptJ);
  return t;
}

std::string text_of(const Conversation& conversation) {
  return tokenizer().decode(conversation.script(tokenizer()).ids);
}

Exchange exchange(const std::string& user, const std::string& answer) {
  return {.user = user, .answer = Answer::of_text(answer)};
}

/// An answer that was drawn as the tokens of `drawn`, of which `shown` was shown.
Answer drawn(const std::string& tokens, const std::string& shown) {
  Answer answer;
  answer.append(shown, tokenizer().encode(tokens), tokenizer(), true);
  return answer;
}

TEST(Conversation, IsWrittenAsThePresetSays) {
  Conversation c = {.preset = kPreset};
  EXPECT_EQ(text_of(c), "");
  c.system = "Be kind.";
  EXPECT_EQ(text_of(c), "<Be kind.>\n");
  c.exchanges.push_back(exchange("Hello", "Hi!"));
  EXPECT_EQ(text_of(c), "<Be kind.>\nYou: Hello\nBot: Hi!");  // where it would go on
  c.exchanges.push_back({.user = "And?", .answer = {}});
  EXPECT_EQ(text_of(c), "<Be kind.>\nYou: Hello\nBot: Hi!\nYou: And?\nBot:");  // the space is the model's
  c.exchanges.push_back({.user = {}, .answer = Answer::of_text("Well.")});
  EXPECT_TRUE(text_of(c).ends_with("You: And?\nBot:\nBot: Well.")) << text_of(c);
}

TEST(Conversation, TextsAreTokenizedAsOne) {
  Conversation c = {.preset = kPreset};
  c.preset.system = {"", "\n\n"};
  c.system = "Be kind.";
  c.exchanges.push_back({.user = "int x;", .answer = {}});
  EXPECT_EQ(c.script(tokenizer()).ids, tokenizer().encode("Be kind.\n\nYou: int x;\nBot:"));
}

TEST(Conversation, AnswersKeepTheTokensThatWereDrawn) {
  const std::vector<int> letters = {tokenizer().encode(" ")[0], tokenizer().encode("H")[0],
                                    tokenizer().encode("i")[0]};
  Answer answer;
  answer.append(" Hi", letters, tokenizer(), true);
  EXPECT_EQ(answer.text, "Hi");
  EXPECT_EQ(answer.tokens, letters);
  EXPECT_EQ(answer.rest, "");
  Conversation c = {.preset = kPreset};
  c.exchanges.push_back({.user = "Hello", .answer = answer});
  std::vector<int> expected = tokenizer().encode("You: Hello\nBot:");
  expected.insert(expected.end(), letters.begin(), letters.end());
  EXPECT_EQ(c.script(tokenizer()).ids, expected);
}

TEST(Conversation, OfTokensThatReachBeyondTheAnswerTheTextIsKept) {
  const Answer answer = drawn(" int main(void) {", " int main(vo");
  EXPECT_EQ(answer.text, "int main(vo");
  EXPECT_EQ(tokenizer().decode(answer.tokens) + answer.rest, " int main(vo");
  EXPECT_EQ(drawn(" Hi \n\n", " Hi \n\n").text, "Hi");
  EXPECT_EQ(drawn("\n \n", "\n \n").text, "");
  EXPECT_EQ(drawn("", "").text, "");
}

TEST(Conversation, AnAnswerCanGoOn) {
  Answer answer = drawn(" int main", " int main");
  answer.append("(void) {\n", tokenizer().encode("(void) {\n"), tokenizer(), true);
  EXPECT_EQ(answer.text, "int main(void) {");
  EXPECT_EQ(tokenizer().decode(answer.tokens) + answer.rest, " int main(void) {");
  Answer loaded = Answer::of_text("int main");
  loaded.append("(void)", tokenizer().encode("(void)"), tokenizer(), true);
  EXPECT_EQ(loaded.text, "int main(void)");
  EXPECT_EQ(tokenizer().decode(loaded.tokens) + loaded.rest, "int main(void)");
}

TEST(Conversation, KnowsWhereExchangesBegin) {
  Conversation c = {.preset = kPreset};
  c.system = "Be kind.";
  for (int i = 0; i < 3; ++i) c.exchanges.push_back(exchange("int x;", "return 1;"));
  const Script script = c.script(tokenizer());
  ASSERT_EQ(script.begins.size(), 3U);
  for (const size_t begin : script.begins) {
    const std::vector<int> rest(script.ids.begin() + static_cast<std::ptrdiff_t>(begin), script.ids.end());
    EXPECT_TRUE(tokenizer().decode(rest).starts_with("You: int x;")) << tokenizer().decode(rest);
  }
}

/// A small session of the demo model.
struct WindowTest : testing::Test {
  const Model model{test::kDemoGptJ};
  Session session{model, {.n_ctx = 64}};
  Window window;

  std::vector<int> fit(const Conversation& c) {
    return window.fit(c.script(tokenizer()), c.preset.is_running_text(), 8, session);
  }
};

TEST_F(WindowTest, LeavesOutWholeExchangesAndKeepsTheRestInTheSession) {
  Conversation c = {.preset = kPreset};
  c.system = "Be kind.";
  bool left_out = false;
  for (int i = 0; i < 20; ++i) {
    c.exchanges.push_back({.user = "int x" + std::to_string(i), .answer = {}});
    const int n_before = window.n_left_out(), n_held = session.n_past();
    const std::vector<int> seen = fit(c);
    EXPECT_LE(seen.size() + 8, 64U);
    EXPECT_TRUE(tokenizer().decode(seen).starts_with("<Be kind.>\nYou: int x")) << tokenizer().decode(seen);
    EXPECT_TRUE(tokenizer().decode(seen).ends_with("x" + std::to_string(i) + "\nBot:"));
    if (const int n = window.n_left_out() - n_before; n > 0) {
      left_out = true;
      EXPECT_EQ(session.n_past(), n_held - n);  // moved, not forgotten
      EXPECT_LE(seen.size(), 64U / 2 + 16U);
    }
    const auto n_same = static_cast<std::ptrdiff_t>(session.n_past());
    EXPECT_TRUE(std::equal(session.tokens().begin(), session.tokens().end(), seen.begin()));
    session.prefill(std::span(seen).subspan(static_cast<size_t>(n_same)));
    c.exchanges.back().answer = Answer::of_text("");
  }
  EXPECT_TRUE(left_out);
}

TEST_F(WindowTest, ARunningTextLosesTokens) {
  Conversation c = {.preset = {.name = "plain", .system = {}, .user = {"", "\n"}, .assistant = {}}};
  c.exchanges.push_back({.user = std::string(400, '('), .answer = {}});
  const std::vector<int> seen = fit(c);
  EXPECT_LE(seen.size(), 64U - 8U);
  EXPECT_TRUE(tokenizer().decode(seen).ends_with("((\n"));
}

TEST_F(WindowTest, ForgetsNothingWhenTheConversationIsAnother) {
  Conversation c = {.preset = kPreset};
  for (int i = 0; i < 20; ++i) c.exchanges.push_back(exchange("int x", "int y"));
  fit(c);
  EXPECT_GT(window.n_left_out(), 0);
  c.exchanges.resize(1);
  EXPECT_EQ(fit(c), c.script(tokenizer()).ids);
  EXPECT_EQ(window.n_left_out(), 0);
}

}  // namespace
}  // namespace gptj::apps
