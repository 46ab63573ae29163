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

/// Writes what the session holds. `pending` are tokens that follow and have not been evaluated: that which was drawn
/// last. Throws Error, also if there is a file of that name which is no session; then the file is as it was.
void save_session(const Session& session, const std::string& path, std::span<const int> pending = {});

/// The tokens of a session file. Reads nothing else. Throws Error.
struct SessionTokens {
  std::vector<int> ids;
  int n_pending;  // the last ones of these, which had not been evaluated
};
SessionTokens read_session_tokens(const std::string& path);

/// The session forgets its first sequence and takes over that of a file, as far as it fits n_ctx and, if `text` is given,
/// is the beginning of it. Returns the number of tokens that it then holds. The same to the last bit as if this session
/// had evaluated them, on the same instruction set. Throws Error if the file is damaged, or was made with another model
/// or other options that change results; then the session holds nothing.
int load_session(Session& session, const std::string& path,
                 std::optional<std::span<const int>> text = std::nullopt);

/// Keeps other programs from a session file while this one goes on with it: a lock on FILE.lock, which lies beside it
/// until the object is gone. (Without it files are whole all the same, but the program that ends last wins.)
class SessionLock {
 public:
  /// Throws Error if another one has it, if nothing can be written there, or if what is there is no session.
  explicit SessionLock(const std::string& path);
  SessionLock(SessionLock&&) noexcept;
  SessionLock& operator=(SessionLock&&) noexcept;
  ~SessionLock();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gptj
