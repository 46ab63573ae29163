#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gptj::apps {

/// `text` with every `from` replaced.
std::string replaced(std::string text, std::string_view from, std::string_view to);

/// `script` with its places, such as "@PROGRAM@", replaced by their texts one after the other.
std::string filled_in(std::string_view script,
                      const std::vector<std::pair<std::string_view, std::string>>& places);

}  // namespace gptj::apps
