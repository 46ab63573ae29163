#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "terminal/text_input.h"

namespace gptj::apps {

/// Calls take() with each line that is not blank, without its end, as soon as it is there. An Error that it throws then
/// names the input and the line's number.
void for_each_line(TextInput& input, const std::function<void(std::string_view line)>& take);

/// The JSON object that a line holds. Throws Error for anything else, and for two keys of one name.
nlohmann::json parse_json_line(std::string_view line);

}  // namespace gptj::apps
