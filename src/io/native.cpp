#include "io/native.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/error.h"
#include "io/byte_reader.h"
#include "io/native_vocab.h"
#include "tensor/panel.h"
#include "text/json.h"
#include "text/json_file.h"

namespace gptj {
namespace {

using nlohmann::json;

std::optional<DType> dtype_by_name(const json& name) {
  for (int i = 0; i < kNumDTypes; ++i) {
    const auto dtype = static_cast<DType>(i);
    if (name.is_string() && name.get_ref<const std::string&>() == info(dtype).name) return dtype;
  }
  return {};
}

/// Reads the header's list of tensors. Each must begin where the one before it says, so that nothing overlaps and
/// nothing is left over.
class TensorReader {
 public:
  TensorReader(const JsonFile& header, const InputFile& file, uint64_t data_begin)
      : header_(header), file_(file), data_begin_(data_begin) {}

  std::vector<FileTensor> read() {
    const json& list = member(header_.root, "tensors");
    if (!list.is_array()) header_.fail("tensors", "an array", list);
    std::vector<FileTensor> tensors;
    for (const json& entry : list) tensors.push_back(read_tensor(entry));
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
    if (!names_.insert(name_).second)
      fail("{}: tensor {} appears twice", quoted(file_.path()), quoted(name_));

    const json& type = member(entry, "dtype");
    const std::optional<DType> dtype = dtype_by_name(type);
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
    return {name_, *dtype, shape, &file_, data_begin_ + offset, bytes, shape.size() == 2};
  }

  std::vector<int64_t> read_shape(const json& value, DType dtype) const {
    constexpr uint64_t kLargest =
        1 << 28;  // of a dimension: far above every model, and no product can overflow
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
  std::set<std::string> names_;
  std::string name_;  // of the tensor at hand
};

/// The header, and where the data begins.
std::pair<JsonFile, uint64_t> read_header(const InputFile& file) {
  ByteReader reader(file);
  if (reader.text(kNativeMagic.size(), "magic") != kNativeMagic) {
    fail("{}: expected a .gptj file, found other first bytes", quoted(file.path()));
  }
  if (const uint32_t order = reader.u32("byte order"); order != kNativeByteOrder) {
    fail("{}: byte order: expected {:#010x}, found {:#010x}: made on a machine of the other one?",
         quoted(file.path()), kNativeByteOrder, order);
  }
  if (const uint32_t version = reader.u32("version"); version != kNativeVersion) {
    fail("{}: version: expected {}, found {}; quantize the original again with this program",
         quoted(file.path()), kNativeVersion, version);
  }
  const uint64_t low = reader.u32("header length");
  const uint64_t length = low | static_cast<uint64_t>(reader.u32("header length")) << 32;
  if (length > kMaxJsonBytes) {
    fail("{}: header length: expected at most {}, found {}", quoted(file.path()), kMaxJsonBytes, length);
  }
  json root = parse_json_object(reader.text(static_cast<size_t>(length), "header"), file.path());
  return {JsonFile{file.path(), std::move(root)}, native_aligned(reader.offset())};
}

}  // namespace

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
  const auto [header, data_begin] = read_header(file);
  const json& config = member(header.root, "config");
  if (!config.is_object()) header.fail("config", "an object", config);
  model.config = std::make_shared<const json>(config);
  model.vocab = vocab_from_json(header, member(header.root, "tokenizer"));
  model.tensors = TensorReader(header, file, data_begin).read();
  return model;
}

}  // namespace gptj
