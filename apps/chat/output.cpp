#include "chat/output.h"

#include <algorithm>

#include "chat/unquoted.h"
#include "terminal/console.h"

namespace gptj::apps {

void AnswerOutput::push(std::string_view bytes) {
  bytes_ += bytes;
  const size_t end = clean_ ? bytes_.find_last_not_of(kSpace) + 1 : bytes_.size();
  if (clean_ && n_shown_ == 0) n_shown_ = std::min(bytes_.find_first_not_of(kSpace), end);
  if (end <= n_shown_) return;
  const std::string_view ready = stream_.push(std::string_view(bytes_).substr(n_shown_, end - n_shown_));
  n_shown_ = end;
  if (ready.empty()) return;
  write_out(ready);
  is_line_open_ = !ready.ends_with('\n');
}

void AnswerOutput::finish(bool interrupted) const {
  if (is_line_open_ || interrupted) write_out("\n");
}

}  // namespace gptj::apps
