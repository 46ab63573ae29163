#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "program.h"

namespace gptj::apps {

/// How a conversation is written as text: as the model was trained to read it. docs/chat.md describes the files.
struct Preset {
  struct Template {
    std::string before, after;  // the text's place is between them
    std::string around(std::string_view text) const { return before + std::string(text) + after; }
  };

  std::string name;  // for find_preset()
  Template system = {"", "\n\n"}, user = {}, assistant = {};
  std::string system_text = {};  // unless there is another
  std::vector<std::string> stop = {};

  /// Nothing stands between the model's text and what follows: nothing in it may be changed then, and stop texts that the
  /// model wrote are part of it.
  bool is_running_text() const { return assistant.before.empty() && assistant.after.empty(); }

  /// What the model continues. Spaces that end it belong to the model's first token.
  std::string_view cue() const;
};

/// Throws Error with file and line.
Preset read_preset(const std::string& path);

/// By the name of one that comes with the program, or by path. Throws Error.
Preset find_preset(const Program& program, const std::string& name);

std::vector<std::string> preset_names(const Program& program);

}  // namespace gptj::apps
