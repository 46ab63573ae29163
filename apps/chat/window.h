#pragma once

#include <vector>

#include "chat/conversation.h"
#include "gptj/session.h"

namespace gptj::apps {

/// Which part of a conversation the model sees: all of it, until that does not fit its context. Then the oldest exchanges
/// are left out, but never the system text: as many as free half of the rest, because what follows them must be read anew by
/// models whose positions cannot move.
class Window {
 public:
  /// The tokens that the model is to continue, with room for so many more. Of a running text any tokens may be left out.
  /// Throws Error if what is new is too long by itself.
  std::vector<int> fit(const Script& script, bool is_running_text, int room, Session& session);

  /// What the model saw of it, or would, if there were room for ever.
  std::vector<int> seen(const Script& script) const;

  /// Tokens at the beginning, which are never left out, and those after them, which are.
  int n_kept() const { return static_cast<int>(kept_); }
  int n_left_out() const { return static_cast<int>(end_ - kept_); }

 private:
  size_t new_end(const Script& script, bool is_running_text, size_t n_ctx) const;
  static size_t kept_of(const Script& script);
  void forget(const std::vector<int>& ids, size_t end, Session& session) const;

  size_t kept_ = 0;
  size_t end_ = 0;  // of what is left out
};

}  // namespace gptj::apps
