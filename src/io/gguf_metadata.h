#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/byte_reader.h"

namespace gptj {

inline constexpr std::string_view kGgufMagic = "GGUF";

/// The types of a value, by GGUF's numbers.
enum class GgufType : uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, string, array, u64, i64, f64 };

/// The keys and values at the beginning of a GGUF file. Values are skipped when the file is opened, and read when
/// they are asked for: files have many that nobody needs. A value of another type than the one asked for is an Error
/// that names the key.
class GgufMetadata {
 public:
  /// Reads `count` keys. The reader stands at the first of them, and afterwards behind the last.
  GgufMetadata(ByteReader& reader, uint64_t count);

  const std::string& path() const { return file_->path(); }
  bool has(const std::string& key) const { return values_.contains(key); }

  // Each returns nothing if there is no such key.
  std::optional<uint64_t> integer(const std::string& key) const;  // of any integer type, not below 0
  std::optional<double> real(const std::string& key) const;
  std::optional<bool> boolean(const std::string& key) const;
  std::optional<std::string> text(const std::string& key) const;
  std::optional<std::vector<std::string>> texts(const std::string& key) const;
  std::optional<std::vector<int32_t>> integers(const std::string& key) const;

 private:
  struct Value {
    GgufType type;
    GgufType element;  // of an array
    uint64_t count;    // of its elements
    uint64_t offset;   // in the file, behind type and count
  };

  static Value skip_value(ByteReader& reader, const std::string& key);

  const Value* find(const std::string& key) const;
  ByteReader at(const Value& value) const;
  [[noreturn]] void fail_type(const std::string& key, std::string_view expected, const Value& found) const;

  const InputFile* file_;
  std::map<std::string, Value> values_;
};

}  // namespace gptj
