#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gptj::apps {

/// The candidate that is most like `name`; empty if there are none.
std::string nearest(std::string_view name, const std::vector<std::string>& candidates);

/// The same, but empty also if `name` would need more than a third of its letters changed: most likely it means
/// something else.
std::string mistyped(std::string_view name, const std::vector<std::string>& candidates);

/// "; did you mean 'NAME'?", for the end of a message; empty without a name.
std::string did_you_mean(std::string_view name);

}  // namespace gptj::apps
