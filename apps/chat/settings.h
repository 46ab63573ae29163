#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gptj/generate.h"
#include "options/sampling.h"

namespace gptj::apps {

/// What can be set while a conversation goes on.
struct ChatSettings {
  int n_predict = 200;     // tokens of an answer at most; -1: until the model ends it
  double max_seconds = 0;  // for an answer at most; 0: no limit
  std::vector<std::string> stop;
  std::optional<Grammar> grammar = {};  // of each answer
  SamplingOptions sampling;

  /// Names may have '_' or '-'. A stop text is one more, in quotes or not; the empty one, "", leaves none. Throws Error:
  /// names the setting, what was expected and found.
  void set(std::string_view given, std::string_view value);
  /// One line with value and meaning. Throws Error if there is no such setting.
  std::string described(std::string_view given) const;
  static std::vector<std::string> names();
  /// Those of the samplers only where they differ from their defaults.
  std::vector<std::string> notable_names() const;
};

}  // namespace gptj::apps
