#include <utility>

#include "gptj/generate.h"

namespace gptj {
namespace {

/// Length of the character that begins with this byte; 1 if none does.
size_t character_length(unsigned char first) {
  if (first >= 0xc2 && first <= 0xdf) return 2;
  if (first >= 0xe0 && first <= 0xef) return 3;
  if (first >= 0xf0 && first <= 0xf4) return 4;
  return 1;
}

/// The number of bytes at the end of `text` that begin a character without completing it.
size_t unfinished(std::string_view text) {
  for (size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xc0) != 0x80) return character_length(byte) > back ? back : 0;
  }
  return 0;
}

}  // namespace

std::string_view Utf8Stream::push(std::string_view bytes) {
  ready_ = std::move(pending_);
  ready_ += bytes;
  const size_t keep = unfinished(ready_);
  pending_ = ready_.substr(ready_.size() - keep);
  ready_.resize(ready_.size() - keep);
  return ready_;
}

std::string_view Utf8Stream::finish() {
  ready_ = std::move(pending_);
  pending_.clear();
  return ready_;
}

}  // namespace gptj
