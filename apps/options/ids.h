#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gptj/tokenizer.h"

namespace gptj::apps {

/// Text begins with the end-of-text token when there is no other: in training, that stood between texts.
/// Throws Error if the model has no such token.
std::vector<int> prompt_tokens(const Tokenizer& tokenizer, const std::string& prompt);

/// Token ids separated by commas, spaces or newlines: from `argument` itself, or from the file that it names
/// as "@FILE". Throws UsageError naming `option`, Error when the file cannot be read or an id is not below `n_ids`.
std::vector<int> read_ids(std::string_view option, const std::string& argument, int n_ids);

}  // namespace gptj::apps
