#include "io/native.h"

#include <algorithm>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "io/checksum.h"
#include "io/file_start.h"
#include "io/native_vocab.h"
#include "tensor/panel.h"
#include "text/json.h"
#include "text/json_file.h"

namespace gptj {
namespace {

using nlohmann::json;

/// Reads the header's list of tensors. Each must begin right behind the one before it, so that nothing overlaps and
/// nothing is left over.
class TensorReader {
 public:
  TensorReader(const JsonFile& header, const InputFile& file, uint64_t data_begin)
      : header_(header), file_(file), data_begin_(data_begin) {}

  std::vector<FileTensor> read() {
    std::vector<FileTensor> tensors;
    for (const json& entry : member(header_.root, "tensors")) tensors.push_back(read_tensor(entry));
    if (data_begin_ + end_ != file_.size()) {
      fail("{}: expected {} bytes, as its header says, found {}: truncated or damaged", quoted(file_.path()),
           data_begin_ + end_, file_.size());
    }
    return tensors;
  }

 private:
  FileTensor read_tensor(const json& entry) {
    if (!entry.is_object()) header_.fail("tensors", "objects", entry);
    const json& name = member(entry, "name");
    if (!name.is_string()) header_.fail("tensors: name", "a text", name);
    name_ = name.get<std::string>();
    const json& type = member(entry, "dtype");
    const std::optional<DType> dtype =
        type.is_string() ? dtype_by_name(type.get_ref<const std::string&>()) : std::nullopt;
    if (!dtype) fail_field("dtype", "a type that this version knows", type);
    const std::vector<int64_t> shape = read_shape(member(entry, "shape"), *dtype);
    const uint64_t bytes = native_bytes(*dtype, shape);
    expect(entry, "bytes", bytes);
    const uint64_t offset = native_aligned(end_);
    expect(entry, "offset", offset);
    if (bytes > file_.size() || data_begin_ + offset > file_.size() - bytes) {
      fail("{}: truncated: tensor {}: expected {} bytes from {} on, found a file of {}", quoted(file_.path()),
           quoted(name_), bytes, data_begin_ + offset, file_.size());
    }
    end_ = offset + bytes;
    return {.name = name_,
            .dtype = *dtype,
            .shape = shape,
            .file = &file_,
            .offset = data_begin_ + offset,
            .bytes = bytes,
            .panels = true};
  }

  std::vector<int64_t> read_shape(const json& value, DType dtype) const {
    constexpr uint64_t kLargest = 1 << 28;  // dimension: far above every model, and no product can overflow
    std::vector<int64_t> shape;
    for (const json& n : value) {
      const bool fits = n.is_number_unsigned() && n.get<uint64_t>() >= 1 && n.get<uint64_t>() <= kLargest;
      if (fits) shape.push_back(n.get<int64_t>());
    }
    const bool matrix = shape.size() == 2;
    if (!value.is_array() || shape.size() != value.size() || (!matrix && shape.size() != 1)) {
      fail_field("shape", "[rows, columns] or [values]", value);
    }
    if (shape.back() % info(dtype).block != 0 || (!matrix && dtype != DType::f32)) {
      fail_field("shape",
                 matrix ? fmt::format("columns in blocks of {}", info(dtype).block) : "a vector of f32",
                 value);
    }
    return shape;
  }

  void expect(const json& entry, const char* key, uint64_t value) const {
    const json& found = member(entry, key);
    if (!found.is_number_unsigned() || found.get<uint64_t>() != value) {
      fail_field(key, std::to_string(value), found);
    }
  }

  [[noreturn]] void fail_field(const char* field, std::string_view expected, const json& found) const {
    fail("{}: tensor {}: {}: expected {}, found {}", quoted(file_.path()), quoted(name_), field, expected,
         quoted(found.dump()));
  }

  const JsonFile& header_;
  const InputFile& file_;
  const uint64_t data_begin_;
  uint64_t end_ = 0;  // of the last tensor, from the beginning of the data
  std::string name_;  // of the tensor at hand
};

/// Everything before the data.
struct Head {
  JsonFile header;
  std::string vocab;
  std::vector<uint32_t> checksums;  // of each tensor
  uint64_t end;                     // where the data begins
};

NativeStart read_start(const InputFile& file) {
  NativeStart start{};
  if (file.size() < sizeof start) {
    fail("{}: truncated: expected at least {} bytes, found {}", quoted(file.path()), sizeof start,
         file.size());
  }
  file.read_at(0, &start, sizeof start);
  if (std::string_view(start.magic, sizeof start.magic) != kNativeMagic) {
    fail("{}: expected a .gptj file, found other first bytes", quoted(file.path()));
  }
  check_file_start(file.path(), start.byte_order, start.version, kNativeVersion);
  return start;
}

Head read_head(const InputFile& file) {
  const NativeStart start = read_start(file);
  uint64_t end = sizeof start;
  const auto take = [&](const char* what, uint64_t bytes) {
    const uint64_t left = file.size() - end, most = std::min(left, kMaxJsonBytes);
    if (bytes > most) {
      fail("{}: length of the {}: expected at most {}, as {} bytes follow, found {}", quoted(file.path()),
           what, most, left, bytes);
    }
    end += bytes;
  };
  take("header", start.header_bytes);
  take("vocabulary", start.vocab_bytes);
  take("checksums", start.n_tensors * sizeof(uint32_t));
  std::string rest(end - sizeof start, '\0');
  file.read_at(sizeof start, rest.data(), rest.size());
  if (const uint32_t found = native_checksum(start, rest); found != start.checksum) {
    fail("{}: checksum of the header: expected {:08x}, found {:08x}: the file is damaged",
         quoted(file.path()), start.checksum, found);
  }

  Head head{{file.path(), parse_json_object(rest.substr(0, start.header_bytes), file.path())},
            rest.substr(start.header_bytes, start.vocab_bytes),
            std::vector<uint32_t>(start.n_tensors),
            native_aligned(end)};
  rest.copy(reinterpret_cast<char*>(head.checksums.data()), start.n_tensors * sizeof(uint32_t),
            start.header_bytes + start.vocab_bytes);
  const json& tensors = member(head.header.root, "tensors");
  if (!tensors.is_array()) head.header.fail("tensors", "an array", tensors);
  if (tensors.size() != start.n_tensors) {
    fail("{}: tensors: expected {}, as many as checksums, found {}", quoted(file.path()), start.n_tensors,
         tensors.size());
  }
  return head;
}

}  // namespace

uint32_t native_checksum(const NativeStart& start, std::string_view rest) {
  return crc32_of(rest, crc32_of({reinterpret_cast<const char*>(&start), offsetof(NativeStart, checksum)}));
}

uint64_t native_bytes(DType dtype, const std::vector<int64_t>& shape) {
  if (shape.size() == 1) return static_cast<uint64_t>(round_up(shape[0], kPanelRows)) * sizeof(float);
  return static_cast<uint64_t>(round_up(shape[0], kPanelRows) / kPanelRows) * panel_bytes(dtype, shape[1]);
}

ModelFile open_native(const std::string& path) {
  ModelFile model;
  model.path = path;
  model.format = "gptj";
  model.naming = Naming::huggingface;
  model.files.push_back(std::make_unique<InputFile>(path));
  const InputFile& file = *model.files.back();
  const Head head = read_head(file);
  const json& config = member(head.header.root, "config");
  if (!config.is_object()) head.header.fail("config", "an object", config);
  model.config = std::make_shared<const json>(config);
  model.vocab = read_native_vocab(head.header, member(head.header.root, "tokenizer"), head.vocab);
  model.tensors = TensorReader(head.header, file, head.end).read();
  for (size_t i = 0; i < model.tensors.size(); ++i) model.tensors[i].checksum = head.checksums[i];
  return model;
}

}  // namespace gptj
