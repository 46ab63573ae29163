#include "io/gguf_metadata.h"

#include <bit>

#include "base/error.h"

namespace gptj {
namespace {

constexpr uint64_t kMaxKeyBytes = 1 << 16;
constexpr uint64_t kMaxTexts = 1 << 24;  // of an array; vocabularies have up to 300,000

struct TypeInfo {
  std::string_view name;
  uint64_t bytes;  // 0: not of one size
  bool is_integer, is_signed;
};

constexpr TypeInfo kTypes[] = {
    {"u8", 1, true, false},     {"i8", 1, true, true},     {"u16", 2, true, false},
    {"i16", 2, true, true},     {"u32", 4, true, false},   {"i32", 4, true, true},
    {"f32", 4, false, true},    {"bool", 1, false, false}, {"string", 0, false, false},
    {"array", 0, false, false}, {"u64", 8, true, false},   {"i64", 8, true, true},
    {"f64", 8, false, true},
};

const TypeInfo& info(GgufType type) {
  return kTypes[static_cast<uint32_t>(type)];
}

GgufType read_type(ByteReader& reader, const std::string& key) {
  const uint32_t type = reader.u32("type of a value");
  if (type >= std::size(kTypes)) {
    fail("{}: {}: type: expected 0 to {}, found {}", quoted(reader.path()), quoted(key),
         std::size(kTypes) - 1, type);
  }
  return static_cast<GgufType>(type);
}

void skip_text(ByteReader& reader) {
  const uint64_t bytes = reader.u64("length of a string");
  reader.skip(bytes, "string");
}

std::string read_text(ByteReader& reader) {
  const uint64_t bytes = reader.u64("length of a string");
  return reader.text(bytes, "string");
}

}  // namespace

GgufMetadata::GgufMetadata(ByteReader& reader, uint64_t count) : file_(&reader.file()) {
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t begin = reader.offset();
    const uint64_t bytes = reader.u64("length of a key");
    if (bytes == 0 || bytes > kMaxKeyBytes) {
      fail("{}: key {} at byte {}: length: expected 1 to {}, found {}", quoted(path()), i, begin,
           kMaxKeyBytes, bytes);
    }
    const std::string key = reader.text(bytes, "key");
    if (!values_.emplace(key, skip_value(reader, key)).second) {
      fail("{}: {}: found twice", quoted(path()), quoted(key));
    }
  }
}

GgufMetadata::Value GgufMetadata::skip_value(ByteReader& reader, const std::string& key) {
  Value value{read_type(reader, key), GgufType::array, 1, 0};
  if (value.type == GgufType::array) {
    value.element = read_type(reader, key);
    value.count = reader.u64("length of an array");
    if (value.element == GgufType::array) {
      fail("{}: {}: expected an array of numbers or strings, found an array of arrays", quoted(reader.path()),
           quoted(key));
    }
  }
  value.offset = reader.offset();
  const GgufType type = value.type == GgufType::array ? value.element : value.type;
  const uint64_t limit = type == GgufType::string ? kMaxTexts : reader.remaining() / info(type).bytes;
  if (value.count > limit) {
    fail("{}: {}: length of the array: expected at most {}, found {}", quoted(reader.path()), quoted(key),
         limit, value.count);
  }
  if (type == GgufType::string) {
    for (uint64_t i = 0; i < value.count; ++i) skip_text(reader);
  } else {
    reader.skip(value.count * info(type).bytes, "value");
  }
  return value;
}

const GgufMetadata::Value* GgufMetadata::find(const std::string& key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? nullptr : &found->second;
}

ByteReader GgufMetadata::at(const Value& value) const {
  ByteReader reader(*file_);
  reader.skip(value.offset, "value");
  return reader;
}

void GgufMetadata::fail_type(const std::string& key, std::string_view expected, const Value& found) const {
  const bool is_array = found.type == GgufType::array;
  fail("{}: {}: expected {}, found {}{}", quoted(path()), quoted(key), expected,
       is_array ? "an array of type " : "type ", info(is_array ? found.element : found.type).name);
}

std::optional<uint64_t> GgufMetadata::integer(const std::string& key) const {
  const Value* value = find(key);
  if (value == nullptr) return {};
  const TypeInfo& type = info(value->type);
  if (!type.is_integer) fail_type(key, "a whole number", *value);
  const uint64_t number = at(*value).number(type.bytes, key);
  if (type.is_signed && number >> (8 * type.bytes - 1) != 0) {
    fail("{}: {}: expected a number from 0, found one below", quoted(path()), quoted(key));
  }
  return number;
}

std::optional<double> GgufMetadata::real(const std::string& key) const {
  const Value* value = find(key);
  if (value == nullptr) return {};
  if (value->type == GgufType::f32) return std::bit_cast<float>(at(*value).u32(key));
  if (value->type == GgufType::f64) return std::bit_cast<double>(at(*value).u64(key));
  fail_type(key, "type f32", *value);
}

std::optional<bool> GgufMetadata::boolean(const std::string& key) const {
  const Value* value = find(key);
  if (value == nullptr) return {};
  if (value->type != GgufType::boolean) fail_type(key, "type bool", *value);
  const uint64_t number = at(*value).number(1, key);
  if (number > 1) fail("{}: {}: expected 0 or 1, found {}", quoted(path()), quoted(key), number);
  return number == 1;
}

std::optional<std::string> GgufMetadata::text(const std::string& key) const {
  const Value* value = find(key);
  if (value == nullptr) return {};
  if (value->type != GgufType::string) fail_type(key, "type string", *value);
  ByteReader reader = at(*value);
  return read_text(reader);
}

std::optional<std::vector<std::string>> GgufMetadata::texts(const std::string& key) const {
  const Value* value = find(key);
  if (value == nullptr) return {};
  if (value->type != GgufType::array || value->element != GgufType::string) {
    fail_type(key, "an array of type string", *value);
  }
  ByteReader reader = at(*value);
  std::vector<std::string> texts;
  for (uint64_t i = 0; i < value->count; ++i) texts.push_back(read_text(reader));
  return texts;
}

std::optional<std::vector<int32_t>> GgufMetadata::integers(const std::string& key) const {
  const Value* value = find(key);
  if (value == nullptr) return {};
  if (value->type != GgufType::array || value->element != GgufType::i32) {
    fail_type(key, "an array of type i32", *value);
  }
  ByteReader reader = at(*value);
  std::vector<int32_t> numbers;
  for (uint64_t i = 0; i < value->count; ++i) numbers.push_back(reader.i32(key));
  return numbers;
}

}  // namespace gptj
