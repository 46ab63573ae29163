#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gptj/tokenizer.h"

namespace gptj::apps {

/// The tokens of a prompt; of an empty one the end-of-text token, which in training stood before a text. Throws Error if
/// that is needed and the model has none.
std::vector<int> prompt_tokens(const Tokenizer& tokenizer, const std::string& prompt);

/// Token ids separated by commas, spaces or newlines: from `argument` itself, or from the file that it names
/// as "@FILE". Throws UsageError naming `option`, Error when the file cannot be read or an id is not below `n_ids`.
std::vector<int> read_ids(std::string_view option, const std::string& argument, int n_ids);

}  // namespace gptj::apps
