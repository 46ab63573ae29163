#include "terminal/line_history.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <system_error>

#include "base/quoted.h"

namespace gptj::apps {
namespace {

constexpr int kMaxLines = 1000;

const char* set_and_not_empty(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : nullptr;
}

std::string history_path() {
  if (const char* const path = std::getenv("GPTJ_HISTORY")) return path;
  if (const char* const state = set_and_not_empty("XDG_STATE_HOME")) {
    return std::string(state) + "/gpt-j/history";
  }
  const char* const home = set_and_not_empty("HOME");
  return home == nullptr ? "" : std::string(home) + "/.local/state/gpt-j/history";
}

}  // namespace

LineHistory::LineHistory(const Log& log) : log_(log), path_(history_path()), history_(::history_init()) {
  if (history_ == nullptr) throw std::bad_alloc();
  HistEvent event;
  ::history(history_, &event, H_SETSIZE, kMaxLines);
  ::history(history_, &event, H_SETUNIQUE, 1);
  load();
}

LineHistory::~LineHistory() {
  save();
  ::history_end(history_);
}

void LineHistory::add(const std::string& line) {
  if (line.find_first_not_of(" \t") == line.npos) return;
  HistEvent event;
  ::history(history_, &event, H_ENTER, line.c_str());
}

void LineHistory::load() {
  std::error_code ignored;
  if (path_.empty() || std::filesystem::file_size(path_, ignored) == 0 || ignored) return;
  HistEvent event;
  if (::history(history_, &event, H_LOAD, path_.c_str()) >= 0) return;
  log_.line("chat: {} is no history of lines: left as it is", quoted(path_));
  path_.clear();
}

/// Beside its place first, as it should never be there in part.
void LineHistory::save() const {
  if (path_.empty()) return;
  std::error_code error;
  const std::filesystem::path path(path_);
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), error);
  const std::string temporary = path_ + ".new-" + std::to_string(::getpid());
  HistEvent event;
  errno = 0;
  if (::history(history_, &event, H_SAVE, temporary.c_str()) < 0) {
    error = {errno, std::system_category()};
  } else {
    std::filesystem::rename(temporary, path, error);
  }
  if (!error) return;
  log_.line("chat: cannot write the history {}: {}", quoted(path_), error.message());
  std::filesystem::remove(temporary, error);
}

}  // namespace gptj::apps
