#include "engine/stop_texts.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace gptj {
namespace {

/// Length of the longest end of `text` with which a stop text begins.
size_t beginning_at_end(std::string_view text, std::string_view stop) {
  for (size_t n = std::min(text.size(), stop.size() - 1); n > 0; --n) {
    if (text.substr(text.size() - n) == stop.substr(0, n)) return n;
  }
  return 0;
}

}  // namespace

std::string_view StopTexts::push(std::string_view bytes) {
  assert(met_ < 0);
  waiting_ += bytes;
  size_t end = waiting_.size();
  for (size_t i = 0; i < stops_.size(); ++i) {
    const size_t at = waiting_.find(stops_[i]);
    if (at >= end) continue;  // the one that comes first in the text counts
    end = at;
    met_ = static_cast<int>(i);
  }
  if (met_ < 0) {
    size_t held = 0;
    for (const std::string& stop : stops_) held = std::max(held, beginning_at_end(waiting_, stop));
    end -= held;
  }
  ready_.assign(waiting_, 0, end);
  waiting_.erase(0, met_ < 0 ? end : waiting_.size());
  return ready_;
}

std::string_view StopTexts::finish() {
  ready_ = std::exchange(waiting_, {});
  return ready_;
}

}  // namespace gptj
