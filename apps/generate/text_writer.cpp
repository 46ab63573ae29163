#include "generate/text_writer.h"

#include "terminal/console.h"

namespace gptj::apps {

void TextWriter::show(std::string_view bytes) {
  const std::string_view text = stream_.push(bytes);  // which may end a character that began hidden
  if (++n_shown_ > n_prompt_ || !hidden_) write_out(text);
}

void TextWriter::finish() {
  // A character that was cut by the end is not shown in half, unless the user wrote it so.
  if (n_shown_ <= n_prompt_ && !hidden_) write_out(stream_.finish());
  write_out("\n");
}

}  // namespace gptj::apps
