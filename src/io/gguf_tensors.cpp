#include "io/gguf_tensors.h"

#include <algorithm>

#include "base/error.h"
#include "tensor/encodings.h"

namespace gptj {
namespace {

constexpr uint64_t kMaxNameBytes = 256;
constexpr uint32_t kMaxDimensions = 4;

/// ggml's names of the types of tensors, by their number; "": there is none, or no longer.
constexpr std::string_view kTypeNames[] = {
    "f32",   "f16",    "q4_0",  "q4_1", "",     "",        "q5_0",   "q5_1",    "q8_0",  "q8_1",   "q2_K",
    "q3_K",  "q4_K",   "q5_K",  "q6_K", "q8_K", "iq2_xxs", "iq2_xs", "iq3_xxs", "iq1_s", "iq4_nl", "iq3_s",
    "iq2_s", "iq4_xs", "i8",    "i16",  "i32",  "i64",     "f64",    "iq1_m",   "bf16",  "",       "",
    "",      "tq1_0",  "tq2_0", "",     "",     "",        "mxfp4",  "nvfp4",
};

std::string type_name(uint32_t type) {
  const bool has_name = type < std::size(kTypeNames) && !kTypeNames[type].empty();
  return has_name ? std::string(kTypeNames[type]) : fmt::format("type {}", type);
}

/// A description as it stands in the file.
struct Described {
  std::string name;
  std::vector<int64_t> shape;  // outermost dimension first
  uint32_t type;
  uint64_t offset;  // from the beginning of the data
};

std::string read_name(ByteReader& reader) {
  const uint64_t begin = reader.offset();
  const uint64_t bytes = reader.u64("length of a tensor's name");
  if (bytes == 0 || bytes > kMaxNameBytes) {
    fail("{}: tensor described at byte {}: length of name: expected 1 to {}, found {}", quoted(reader.path()),
         begin, kMaxNameBytes, bytes);
  }
  return reader.text(bytes, "name of a tensor");
}

Described read_description(ByteReader& reader) {
  Described out{read_name(reader), {}, 0, 0};
  const uint32_t n_dims = reader.u32("number of dimensions");
  if (n_dims < 1 || n_dims > kMaxDimensions) {
    fail("{}: tensor {}: number of dimensions: expected 1 to {}, found {}", quoted(reader.path()),
         quoted(out.name), kMaxDimensions, n_dims);
  }
  for (uint32_t i = 0; i < n_dims; ++i) {
    const uint64_t n = reader.u64("dimension");
    if (n < 1 || n > reader.file().size() * 8) {  // no type has less than a bit for a value
      fail("{}: tensor {}: dimension {}: expected 1 to what a file of {} bytes can hold, found {}",
           quoted(reader.path()), quoted(out.name), i, reader.file().size(), n);
    }
    out.shape.insert(out.shape.begin(), static_cast<int64_t>(n));
  }
  out.type = reader.u32("type");
  out.offset = reader.u64("offset");
  return out;
}

/// What a type's number means; nothing for types that are not read.
std::optional<TensorType> tensor_type(uint32_t type) {
  if (type == kGgufBf16) return TensorType{DType::bf16};
  const auto number = static_cast<int>(std::min<uint32_t>(type, 1 << 16));
  if (const Encoding* encoding = encoding_of_ggml_type(number)) return TensorType{encoding->dtype, encoding};
  if (const auto dtype = dtype_from_ggml_type(number)) return TensorType{*dtype};
  return {};
}

class TensorPlacer {
 public:
  TensorPlacer(const InputFile& file, uint64_t data_begin, uint64_t alignment)
      : file_(file), data_begin_(data_begin), alignment_(alignment) {}

  FileTensor place(Described& from, const TensorType& type) const {
    const uint64_t data_bytes = file_.size() - std::min(file_.size(), data_begin_);
    if (from.offset % alignment_ != 0) {
      fail("{}: tensor {}: offset: expected a multiple of {} (the alignment), found {}", quoted(file_.path()),
           quoted(from.name), alignment_, from.offset);
    }
    if (from.offset > data_bytes) {
      fail("{}: truncated or damaged: tensor {}: offset: expected at most {}, the bytes of data, found {}",
           quoted(file_.path()), quoted(from.name), data_bytes, from.offset);
    }
    const uint64_t bytes = bytes_of(from, type, data_bytes - from.offset);
    return {.name = std::move(from.name),
            .dtype = type.dtype,
            .shape = std::move(from.shape),
            .file = &file_,
            .offset = data_begin_ + from.offset,
            .bytes = bytes,
            .encoding = type.encoding};
  }

 private:
  uint64_t bytes_of(const Described& from, const TensorType& type, uint64_t limit) const {
    const int64_t n = from.shape.back();
    if (n % type.block() != 0) {
      fail("{}: tensor {}: first dimension: expected a multiple of {} for {}, found {}", quoted(file_.path()),
           quoted(from.name), type.block(), type.name(), n);
    }
    uint64_t bytes = type.row_bytes(n);
    for (size_t i = 0; i <= from.shape.size(); ++i) {
      const uint64_t factor = i < from.shape.size() - 1 ? static_cast<uint64_t>(from.shape[i]) : 1;
      if (bytes > limit / factor) {
        fail("{}: truncated or damaged: tensor {}: expected shape [{}] of {}, found {} bytes to the end",
             quoted(file_.path()), quoted(from.name), fmt::join(from.shape, ", "), type.name(), limit);
      }
      bytes *= factor;
    }
    return bytes;
  }

  const InputFile& file_;
  const uint64_t data_begin_, alignment_;
};

void refuse_overlap(const std::string& path, std::vector<FileTensor>::const_iterator begin,
                    std::vector<FileTensor>::const_iterator end) {
  std::vector<const FileTensor*> in_order;
  for (auto it = begin; it != end; ++it) in_order.push_back(&*it);
  std::sort(in_order.begin(), in_order.end(),
            [](const FileTensor* a, const FileTensor* b) { return a->offset < b->offset; });
  for (size_t i = 1; i < in_order.size(); ++i) {
    const FileTensor &before = *in_order[i - 1], &after = *in_order[i];
    if (before.offset + before.bytes <= after.offset) continue;
    fail("{}: tensor {}: offset: expected to begin at byte {} or later, where {} ends, found {}",
         quoted(path), quoted(after.name), before.offset + before.bytes, quoted(before.name), after.offset);
  }
}

}  // namespace

void read_gguf_tensors(ByteReader& reader, uint64_t count, uint64_t alignment, ModelFile& model) {
  std::vector<Described> described;
  for (uint64_t i = 0; i < count; ++i) described.push_back(read_description(reader));

  const uint64_t data_begin = (reader.offset() + alignment - 1) / alignment * alignment;
  const TensorPlacer placer(reader.file(), data_begin, alignment);
  const auto n_before = static_cast<ptrdiff_t>(model.tensors.size());
  for (Described& tensor : described) {
    if (const auto type = tensor_type(tensor.type)) {
      model.tensors.push_back(placer.place(tensor, *type));
    } else {
      model.unread.push_back({std::move(tensor.name), type_name(tensor.type)});
    }
  }
  refuse_overlap(reader.path(), model.tensors.begin() + n_before, model.tensors.end());
}

}  // namespace gptj
