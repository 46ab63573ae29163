#pragma once

#include <string>
#include <vector>

#include "chat/conversation.h"
#include "chat/settings.h"
#include "chat/window.h"
#include "gptj/drafter.h"
#include "terminal/log.h"
#include "terminal/style.h"

namespace gptj::apps {

/// A conversation with a model, which answers on standard output. What throws Error has changed nothing.
class Chat {
 public:
  /// All but the settings must outlive it.
  Chat(const Model& model, Session& session, ChatSettings settings, Drafter* drafter, const Log& log);

  /// A running text that does not end in a stop text is shown, and continued at once.
  void begin();

  void say(const std::string& text);
  /// The model goes on with what it said last, or begins a running text.
  void go_on();
  /// The last answer anew, with other random numbers. Throws Error if there is none.
  void retry();
  /// Removes the last exchange. Throws Error if there is none.
  void undo();

  /// What to show before the user's line: the stop text that the text ends with, or else a mark.
  std::string prompt() const;

  /// What the model reads, up to where it goes on.
  std::string seen_text() const;
  int n_seen() const;  // its tokens

  void replace(Conversation conversation);
  const Conversation& conversation() const { return conversation_; }
  const ChatSettings& settings() const { return settings_; }
  /// Throws Error also if the model does not allow the value.
  void change(ChatSettings settings);

 private:
  /// Fills the answer of its last exchange, or continues it.
  void answer(Conversation& conversation);
  GenerateOptions generate_options(const Conversation& conversation) const;
  std::vector<int> prompt_ids(const Conversation& conversation);
  void report(const GenerateResult& result, bool said_nothing) const;
  std::string open_turn() const;

  const Model& model_;
  Session& session_;
  ChatSettings settings_;
  Drafter* const drafter_;
  const Log& log_;
  const Style style_ = error_style();
  Conversation conversation_;
  Window window_;
};

}  // namespace gptj::apps
