#include "options/session.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/quoted.h"
#include "gptj/error.h"

namespace gptj::apps {
namespace {

/// What was drawn and not evaluated, from where a text that is continued goes on. Not the end-of-text token: behind it
/// would be another text.
std::span<const int> pending_of(const GenerateResult& result) {
  if (!result.pending || result.reason == StopReason::end_of_text) return {};
  return std::span(result.tokens).last(1);
}

}  // namespace

void SessionOption::declare(CommandLine& line, std::string_view help) {
  line.group("Session");
  line.text("--session", path_, "FILE", help);
  line.flag("--session-read-only", read_only_, "use the file as it is, do not write it");
}

void SessionOption::check(const CommandLine& line) const {
  if (line.given("--session-read-only") && !path_) {
    throw UsageError("--session-read-only: expected --session FILE too");
  }
}

void SessionOption::open() {
  if (path_ && !read_only_) lock_.emplace(*path_);
}

bool SessionOption::is_there() const {
  std::error_code ignored;
  return path_ && std::filesystem::exists(*path_, ignored);
}

std::vector<int> SessionOption::take_text() {
  SessionTokens saved = read_session_tokens(*path_);
  is_text_ = true;
  continues_ = saved.n_pending > 0;
  return std::move(saved.ids);
}

void SessionOption::load(Session& session, std::optional<std::span<const int>> text, const Log& log) {
  if (!is_there()) {
    if (path_ && read_only_) log.line("main: warning: there is no session {}", quoted(*path_));
    return;
  }
  try {
    load_session(session, *path_, text);
  } catch (const Error& error) {
    if (is_text_) throw;
    log.line("main: warning: {}; the prompt is evaluated instead", error.what());
  }
  held_.assign(session.tokens().begin(), session.tokens().end());
}

void SessionOption::save(const Session& session, const GenerateResult& result, const Log& log) const {
  if (!path_) return;
  log.line("main:       session = {} of {} tokens of the prompt were there", result.n_reused,
           result.n_prompt);
  if (read_only_) return;
  const bool in_prompt = result.reason == StopReason::cancelled || result.reason == StopReason::time;
  if (in_prompt && result.n_generated == 0) {  // what is there may be more than what was read of another text
    log.line("main:       session: stopped in the prompt, '{}' stays as it was", escaped(*path_));
    return;
  }
  write(session, pending_of(result), log);
}

void SessionOption::save(const Session& session, const Log& log) const {
  if (path_ && !read_only_ && !std::ranges::equal(session.tokens(), held_)) write(session, {}, log);
}

void SessionOption::write(const Session& session, std::span<const int> pending, const Log& log) const {
  const Stopwatch saving;
  save_session(session, *path_, pending);
  log.line("main:       session = {} tokens written in {:.2f} ms", session.n_past(), saving.ms());
}

}  // namespace gptj::apps
