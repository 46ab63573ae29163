#pragma once

#include <fstream>
#include <sstream>
#include <string>

#include "base/failure.h"
#include "engine/session_format.h"
#include "engine/tiny_models.h"
#include "gptj/session_file.h"

/// Session files of tiny models.
namespace gptj::test {

inline std::string bytes_of(const std::string& path) {
  std::ostringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  return bytes.str();
}

/// What a session makes of some more tokens, evaluated one by one and as a prompt.
inline Logits go_on(Session& session) {
  Logits out;
  for (const int id : {7, 100, 3}) append(out, session.decode(id));
  append(out, session.prefill(some_ids(6)));
  return out;
}

/// A session file, and the session that it was made of.
struct Saved {
  Saved(const Model& model, const std::string& file, const SessionOptions& options, int n_tokens)
      : path(file), session(model, options) {
    const std::vector<int> ids = some_ids(n_tokens);
    const size_t n_prompt = (ids.size() + 1) / 2;
    session.prefill(std::span(ids).first(n_prompt));
    for (const int id : std::span(ids).subspan(n_prompt)) session.decode(id);
    save_session(session, path);
  }

  std::string path;
  Session session;
};

}  // namespace gptj::test
