#pragma once

#include <optional>
#include <string>
#include <string_view>

/// Parses the texts that settings are given as.
namespace gptj {

/// A finite number in decimal; nothing if the text is none.
std::optional<double> parse_number(std::string_view text);
std::optional<double> parse_whole_number(std::string_view text);

/// A token's id.
std::optional<int> parse_id(std::string_view text);

/// Throws Error unless the model has the token.
void check_id(std::string_view setting, int id, int n_vocab);

/// The SamplerSetting::text_problem of texts that must not be empty.
std::string empty_problem(std::string_view text);

}  // namespace gptj
