#pragma once

#include <optional>
#include <string>

namespace gptj::apps {

/// To be called before long work. Throws Error if the file `output` cannot be written, or if it is one that the command
/// reads, the model's or the text's: nothing would be left of the original. (Files of a model in a directory, other
/// than the directory itself, are not looked at.)
void check_output(const std::string& output, const std::string& model,
                  const std::optional<std::string>& text);

}  // namespace gptj::apps
