#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

/// nlohmann/json.hpp takes seconds to compile, so only sources that look into values include it.
namespace gptj {

/// The most bytes that a JSON file may have: more than any vocabulary.
inline constexpr uint64_t kMaxJsonBytes = 128 << 20;

/// Parses a JSON object. Throws Error, naming `path`, for anything else, and for what JsonWatch finds.
nlohmann::json parse_json_object(const std::string& text, const std::string& path);

/// The same for a file. Throws Error also if it is missing or too large.
std::shared_ptr<const nlohmann::json> read_json_object(const std::string& path);

}  // namespace gptj
