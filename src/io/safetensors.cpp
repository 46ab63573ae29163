#include "io/safetensors.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <tuple>

#include "base/error.h"
#include "io/byte_reader.h"
#include "io/foreign.h"
#include "text/json.h"

namespace gptj {
namespace {

using Json = nlohmann::json;

struct StoredType {
  std::string_view name;
  uint64_t bytes;
  std::optional<DType> dtype;  // nullopt: found beside weights (attention masks, counters), never needed
};

constexpr StoredType kStoredTypes[] = {
    {"F32", 4, DType::f32}, {"F16", 2, DType::f16}, {"BF16", 2, DType::bf16}, {"BOOL", 1, {}},
    {"U8", 1, {}},          {"I8", 1, {}},          {"I16", 2, {}},           {"U16", 2, {}},
    {"I32", 4, {}},         {"U32", 4, {}},         {"I64", 8, {}},           {"U64", 8, {}},
    {"F64", 8, {}},         {"F8_E4M3", 1, {}},     {"F8_E5M2", 1, {}},
};

struct Entry {
  std::string name;
  const StoredType* type;
  std::vector<int64_t> shape;
  uint64_t begin, end;  // bytes from the beginning of the data
};

/// Reads one entry of the header; every mistake in it is reported with the tensor's name.
class EntryParser {
 public:
  EntryParser(const std::string& path, const std::string& name, const Json& value)
      : path_(path), name_(name), value_(value) {}

  Entry parse(uint64_t data_bytes) const {
    if (!value_.is_object()) fail_field("entry", "an object", value_);
    const StoredType& type = stored_type(field("dtype"));
    const auto [begin, end] = offsets(field("data_offsets"), data_bytes);
    return {name_, &type, shape(field("shape"), type, end - begin), begin, end};
  }

 private:
  [[noreturn]] void fail_field(std::string_view what, std::string_view expected, const Json& found) const {
    fail("{}: tensor {}: {}: expected {}, found {}", quoted(path_), quoted(name_), what, expected,
         quoted(found.dump()));
  }

  const Json& field(const char* key) const {
    const auto found = value_.find(key);
    if (found == value_.end()) fail("{}: tensor {}: {} is missing", quoted(path_), quoted(name_), key);
    return *found;
  }

  const StoredType& stored_type(const Json& value) const {
    const auto* type =
        std::find_if(std::begin(kStoredTypes), std::end(kStoredTypes), [&](const StoredType& known) {
          return value.is_string() && value.get_ref<const std::string&>() == known.name;
        });
    if (type == std::end(kStoredTypes)) fail_field("dtype", "F32, F16 or BF16", value);
    return *type;
  }

  std::pair<uint64_t, uint64_t> offsets(const Json& value, uint64_t data_bytes) const {
    if (!value.is_array() || value.size() != 2 || !value[0].is_number_unsigned() ||
        !value[1].is_number_unsigned() || value[0] > value[1]) {
      fail_field("data_offsets", fmt::format("[begin, end] within {} bytes of data", data_bytes), value);
    }
    if (value[1] > data_bytes) {
      fail("{}: truncated or damaged: tensor {}: data_offsets: expected at most {} bytes of data, found {}",
           quoted(path_), quoted(name_), data_bytes, quoted(value.dump()));
    }
    return {value[0].get<uint64_t>(), value[1].get<uint64_t>()};
  }

  std::vector<int64_t> shape(const Json& value, const StoredType& type, uint64_t bytes) const {
    if (!value.is_array()) fail_field("shape", "an array", value);
    std::vector<int64_t> shape;
    uint64_t needed = type.bytes;
    for (const Json& dimension : value) {
      if (!dimension.is_number_unsigned() || dimension == 0U) {
        fail_field("shape", "whole numbers above 0", value);
      }
      const auto n = dimension.get<uint64_t>();
      if (n > bytes / needed) fail_size(value, type, bytes);
      needed *= n;
      shape.push_back(static_cast<int64_t>(n));
    }
    if (needed != bytes) fail_size(value, type, bytes);
    return shape;
  }

  [[noreturn]] void fail_size(const Json& shape, const StoredType& type, uint64_t bytes) const {
    fail_field("shape", fmt::format("{} values that fill the {} bytes of data_offsets", type.name, bytes),
               shape);
  }

  const std::string& path_;
  const std::string& name_;
  const Json& value_;
};

// The header's JSON and where the data begins.
std::pair<Json, uint64_t> read_header(const InputFile& file) {
  constexpr uint64_t kMaxHeader = 16 << 20;  // that of GPT-J 6B has 40 kB
  if (!looks_like_safetensors(first_bytes(file))) {
    refuse_foreign(file);
    fail(
        "{}: expected a safetensors file, found none: it does not begin with the length of a header and a "
        "brace",
        quoted(file.path()));
  }
  ByteReader reader(file);
  const uint64_t length = reader.u64("header length");
  const uint64_t limit = std::min(kMaxHeader, reader.remaining());
  if (length > limit) {
    fail("{}: truncated or damaged: header length: expected at most {} in a file of {} bytes, found {}",
         quoted(file.path()), limit, file.size(), length);
  }
  Json header = parse_json_object(reader.text(length, "header"), file.path());
  return {std::move(header), reader.offset()};
}

void check_coverage(const InputFile& file, const std::vector<Entry>& entries, uint64_t data_bytes) {
  uint64_t covered = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != covered) {
      fail("{}: tensor {}: data_offsets: expected to begin at {}, where the data before it ends, found {}",
           quoted(file.path()), quoted(entry.name), covered, entry.begin);
    }
    covered = entry.end;
  }
  if (covered != data_bytes) {
    fail("{}: expected {} bytes of data, as the tensors take, found {}", quoted(file.path()), covered,
         data_bytes);
  }
}

}  // namespace

bool looks_like_safetensors(std::string_view first_bytes) {
  constexpr std::string_view kHighBytes("\0\0\0\0", 4);  // no header has 4 GB, but GGUF's version lies there
  return first_bytes.size() > 8 && first_bytes.substr(4, 4) == kHighBytes && first_bytes[8] == '{';
}

void read_safetensors(const InputFile& file, ModelFile& model) {
  const auto [header, data_begin] = read_header(file);
  const uint64_t data_bytes = file.size() - data_begin;

  std::vector<Entry> entries;
  for (const auto& [name, value] : header.items()) {
    if (name == "__metadata__") continue;  // free text
    entries.push_back(EntryParser(file.path(), name, value).parse(data_bytes));
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  });
  check_coverage(file, entries, data_bytes);

  for (Entry& entry : entries) {
    if (entry.type->dtype) {
      model.tensors.push_back({.name = std::move(entry.name),
                               .dtype = *entry.type->dtype,
                               .shape = std::move(entry.shape),
                               .file = &file,
                               .offset = data_begin + entry.begin,
                               .bytes = entry.end - entry.begin});
    } else {
      model.unread.push_back({std::move(entry.name), std::string(entry.type->name)});
    }
  }
}

}  // namespace gptj
