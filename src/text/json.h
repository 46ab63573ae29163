#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

/// nlohmann/json.hpp takes seconds to compile: only sources that look into values include it.
namespace gptj {

/// Bytes of the largest JSON file that is read: larger than any vocabulary.
inline constexpr uint64_t kMaxJsonBytes = 128 << 20;

/// The JSON object that `text` holds. Throws Error, naming `path`, for anything else, and for two keys of one
/// name in an object: parsers keep the last, so whoever checked such a file with another one saw other
/// values.
nlohmann::json parse_json_object(const std::string& text, const std::string& path);

/// That of a file. Throws Error also if it is missing or too large.
std::shared_ptr<const nlohmann::json> read_json_object(const std::string& path);

}  // namespace gptj
