#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gptj/session.h"

/// The first sequence of a session on disk (docs/session.md): evaluated tokens with their keys and values, so that they
/// need not be evaluated again.
namespace gptj {

/// Writes what the session holds. `pending` are tokens that follow but have not been evaluated, such as the one drawn
/// last. Throws Error if it cannot be written, or if a file of that name is no session; then the file is as it was.
void save_session(const Session& session, const std::string& path, std::span<const int> pending = {});

/// The tokens of a session file.
struct SessionTokens {
  std::vector<int> ids;
  int n_pending;  // how many of them, at the end, have not been evaluated
};

/// Reads the tokens and nothing else. Throws Error if it is no session file, or a damaged one.
SessionTokens read_session_tokens(const std::string& path);

/// Replaces the session's first sequence with that of a file, as far as it fits n_ctx and, if `text` is given, begins
/// like it. Returns the number of tokens that the session then holds, the same to the last bit as if it had evaluated
/// them (on the same instruction set). Throws Error if the file is damaged, or was made with another model or with
/// other options that change results; then the session holds nothing.
int load_session(Session& session, const std::string& path,
                 std::optional<std::span<const int>> text = std::nullopt);

/// Keeps other programs from using a session file while this one does: a lock on FILE.lock, which exists beside it as
/// long as this object. (Without it files are never torn, but of several programs the last one to write wins.)
class SessionLock {
 public:
  /// Throws Error if another program has the lock, if nothing can be written there, or if the file is no session.
  explicit SessionLock(const std::string& path);
  SessionLock(SessionLock&&) noexcept;
  SessionLock& operator=(SessionLock&&) noexcept;
  ~SessionLock();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gptj
