#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chat/preset.h"
#include "gptj/tokenizer.h"

namespace gptj::apps {

/// What the model said, as text and, as far as it is known, as the tokens that it drew: reading these again costs nothing
/// where the session holds them, and the text's own tokens may be others.
struct Answer {
  std::string text;
  std::vector<int> tokens;  // of the beginning of the text, and white space before it
  std::string rest;         // the end of the text, that the tokens lack

  static Answer of_text(std::string text);
  /// Appends `bytes`: what the tokens `drawn` say, or the beginning of that. If `clean`, white space at the end is left
  /// out, and white space before the text is not part of it.
  void append(const std::string& bytes, const std::vector<int>& drawn, const Tokenizer& tokenizer,
              bool clean);
};

struct Exchange {
  std::optional<std::string> user;  // none: the model went on by itself
  std::optional<Answer> answer;     // none yet
};

/// A conversation as the tokens that the model reads, up to where it goes on.
struct Script {
  std::vector<int> ids;
  std::vector<size_t> begins;  // where each exchange begins in the ids, up to a token
};

struct Conversation {
  Preset preset;
  std::optional<std::string> system = {};  // instead of the preset's
  std::vector<Exchange> exchanges = {};

  const std::string& system_text() const { return system ? *system : preset.system_text; }

  Script script(const Tokenizer& tokenizer) const;
};

}  // namespace gptj::apps
