#pragma once

#include <histedit.h>

#include <string>

#include "terminal/log.h"

namespace gptj::apps {

/// The lines that were typed, in this run and before: kept in the file that GPTJ_HISTORY names (empty: in none), else
/// $XDG_STATE_HOME/gpt-j/history or ~/.local/state/gpt-j/history. A file that cannot be used is told of, no more.
class LineHistory {
 public:
  explicit LineHistory(const Log& log);
  ~LineHistory();
  LineHistory(const LineHistory&) = delete;
  LineHistory& operator=(const LineHistory&) = delete;

  void add(const std::string& line);
  History* get() const { return history_; }

 private:
  void load();
  void save() const;

  const Log log_;
  std::string path_;  // empty: none
  History* history_;
};

}  // namespace gptj::apps
