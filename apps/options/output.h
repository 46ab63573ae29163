#pragma once

#include <optional>
#include <string>

#include "gptj/model.h"

namespace gptj::apps {

/// To be called before long work. Throws Error if the file `output` cannot be written, or if the command reads it, as a
/// part of the model or as the text.
void check_output(const std::string& output, const ModelInfo& model, const std::optional<std::string>& text);

}  // namespace gptj::apps
