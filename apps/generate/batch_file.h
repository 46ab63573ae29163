#pragma once

#include <string>
#include <vector>

#include "gptj/batch.h"

namespace gptj::apps {

/// A text that is wanted.
struct TextRequest {
  std::string id = {};  // JSON that its result is to have, too; empty: none
  std::string prompt = {};
  BatchText text = {};  // all but the prompt's tokens
};

/// The texts that a file asks for: JSON lines, {"prompt": "...", "id": ..., "n_predict": ...}, if it begins with '{', else a
/// prompt on each line. Empty lines ask for nothing. What a line does not say is as in `defaults`. Throws Error, naming
/// the line, for anything else.
std::vector<TextRequest> read_batch_file(const std::string& path, const BatchText& defaults);

}  // namespace gptj::apps
