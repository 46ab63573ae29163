#pragma once

#include <optional>
#include <string>
#include <string_view>

/// What the texts of settings mean.
namespace gptj {

/// A finite number in decimal; no value: the text is none.
std::optional<double> parse_number(std::string_view text);
std::optional<double> parse_whole_number(std::string_view text);

/// A token's id.
std::optional<int> parse_id(std::string_view text);

/// Throws Error unless the model has the token.
void check_id(std::string_view setting, int id, int n_vocab);

/// Of a text that must not be empty, as SamplerSetting::problem() says it.
std::string empty_problem(std::string_view text);

}  // namespace gptj
