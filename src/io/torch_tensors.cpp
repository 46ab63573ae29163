#include "io/torch_tensors.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"

namespace gptj {
namespace {

using Kind = PickleValue::Kind;

constexpr TorchType kTypes[] = {
    {"torch.FloatStorage", "torch.float32", 4, DType::f32},
    {"torch.HalfStorage", "torch.float16", 2, DType::f16},
    {"torch.BFloat16Storage", "torch.bfloat16", 2, DType::bf16},
    {"torch.BoolStorage", "torch.bool", 1, {}},
    {"torch.ByteStorage", "torch.uint8", 1, {}},
    {"torch.CharStorage", "torch.int8", 1, {}},
    {"torch.ShortStorage", "torch.int16", 2, {}},
    {"torch.IntStorage", "torch.int32", 4, {}},
    {"torch.LongStorage", "torch.int64", 8, {}},
    {"torch.DoubleStorage", "torch.float64", 8, {}},
    // Newer types, which have no storage of their own.
    {"", "torch.uint16", 2, {}},
    {"", "torch.uint32", 4, {}},
    {"", "torch.uint64", 8, {}},
    {"", "torch.float8_e4m3fn", 1, {}},
    {"", "torch.float8_e5m2", 1, {}},
};
constexpr std::string_view kUntypedStorage = "torch.storage.UntypedStorage";

constexpr std::string_view kParameter = "torch._utils._rebuild_parameter";

/// The functions that make a tensor from (storage, first, shape, strides, ...), and how many arguments they take. One
/// more may say that the numbers are to be negated or the like.
struct Rebuild {
  std::string_view name;
  size_t arguments;
  size_t type_argument;  // 0: the type is that of the storage
};
constexpr Rebuild kRebuilds[] = {
    {"torch._utils._rebuild_tensor", 4, 0},
    {"torch._utils._rebuild_tensor_v2", 6, 0},
    {"torch._utils._rebuild_tensor_v3", 7, 6},
};

template <typename Row, size_t N, typename Field>
const Row* find_row(const Row (&table)[N], Field field, std::string_view name) {
  const Row* row = std::find_if(table, table + N, [&](const Row& known) { return known.*field == name; });
  return name.empty() || row == table + N ? nullptr : row;
}

/// Reads one tensor; every mistake in it is reported with its name.
class TensorReader {
 public:
  TensorReader(const Pickle& pickle, const std::string& path, const std::string& name)
      : pickle_(pickle), path_(path), name_(name) {}

  TorchTensor read(const PickleValue& value) const {
    const PickleValue* call = &value;
    if (call->kind == Kind::call && function(*call) == kParameter) {
      call = &part(pickle_.part(*call, 1), 0, "parameter");
    }
    const Rebuild* rebuild =
        call->kind == Kind::call ? find_row(kRebuilds, &Rebuild::name, function(*call)) : nullptr;
    if (rebuild == nullptr) fail_value("value", "a tensor", *call);
    const PickleValue& arguments = pickle_.part(*call, 1);
    const size_t n_arguments = arguments.parts.size();
    if (n_arguments < rebuild->arguments || n_arguments > rebuild->arguments + 1) {
      fail_field("arguments", std::to_string(rebuild->arguments), n_arguments);
    }
    if (n_arguments > rebuild->arguments) check_metadata(pickle_.part(arguments, rebuild->arguments));
    TorchTensor tensor{.name = name_, .type = nullptr, .storage = {}, .first = 0, .shape = {}, .strides = {}};
    read_storage(pickle_.part(arguments, 0), tensor);
    if (rebuild->type_argument != 0)
      tensor.type = type_named(pickle_.part(arguments, rebuild->type_argument));
    if (tensor.type == nullptr) fail_field("storage", "one with a type", kUntypedStorage);
    tensor.first += whole_number(pickle_.part(arguments, 1), "storage offset");
    tensor.shape = whole_numbers(pickle_.part(arguments, 2), "shape");
    tensor.strides = whole_numbers(pickle_.part(arguments, 3), "strides");
    check_place(tensor);
    return tensor;
  }

 private:
  /// ("storage", type, key, device, number of values), and in old files None or a view of it: (key, first, values).
  void read_storage(const PickleValue& value, TorchTensor& tensor) const {
    if (value.kind != Kind::persistent) fail_value("storage", "a persistent id", value);
    const PickleValue& id = pickle_.part(value, 0);
    if (part(id, 0, "storage").text != "storage") fail_value("storage", "'storage' first in its id", id);
    const PickleValue& type = part(id, 1, "storage");
    tensor.type = find_row(kTypes, &TorchType::storage, type.text);
    if (type.kind != Kind::global || (tensor.type == nullptr && type.text != kUntypedStorage)) {
      fail_value("storage", "a known type", type);
    }
    const PickleValue& key = part(id, 2, "storage");
    if (key.kind != Kind::text) fail_value("storage", "a key", key);
    tensor.storage = {key.text, whole_number(part(id, 4, "storage"), "values of its storage"),
                      tensor.type == nullptr ? 1 : tensor.type->bytes};
    if (id.parts.size() < 6 || pickle_.part(id, 5).kind == Kind::none) return;
    const PickleValue& view = pickle_.part(id, 5);
    tensor.first = whole_number(part(view, 1, "view"), "view");
  }

  void check_metadata(const PickleValue& value) const {
    if (value.kind == Kind::none || (value.kind == Kind::dict && value.parts.empty())) return;
    fail_value("metadata", "none (numbers as they are stored)", value);
  }

  const TorchType* type_named(const PickleValue& value) const {
    const TorchType* type = find_row(kTypes, &TorchType::name, value.text);
    if (value.kind != Kind::global || type == nullptr) fail_value("type", "a known one", value);
    return type;
  }

  /// All of its numbers must be numbers of its storage.
  void check_place(const TorchTensor& tensor) const {
    if (tensor.shape.size() != tensor.strides.size()) {
      fail_field("strides", fmt::format("{}, as many as dimensions", tensor.shape.size()),
                 tensor.strides.size());
    }
    const uint64_t values = tensor.storage.bytes() / tensor.type->bytes;
    bool inside = tensor.first < values;
    uint64_t after = inside ? values - tensor.first - 1 : 0;  // numbers behind the tensor's first one
    for (size_t i = 0; i < tensor.shape.size(); ++i) {
      if (tensor.shape[i] == 0) fail_field("shape", "whole numbers above 0", dimensions(tensor.shape));
      const auto steps = static_cast<uint64_t>(tensor.shape[i] - 1);
      const auto stride = static_cast<uint64_t>(tensor.strides[i]);
      inside = inside && (stride == 0 || steps <= after / stride);
      if (inside) after -= steps * stride;
    }
    if (!inside) {
      fail(
          "{}: tensor {}: expected numbers inside the {} of its storage, found shape {}, strides {} from {} "
          "on",
          quoted(path_), quoted(name_), values, dimensions(tensor.shape), dimensions(tensor.strides),
          tensor.first);
    }
  }

  std::string_view function(const PickleValue& call) const { return pickle_.part(call, 0).text; }

  const PickleValue& part(const PickleValue& of, size_t i, const char* what) const {
    if (of.kind != Kind::tuple) fail_value(what, "a tuple", of);
    if (i >= of.parts.size()) fail_field(what, fmt::format("at least {} items", i + 1), of.parts.size());
    return pickle_.part(of, i);
  }

  /// At most 2^60, so that it may be multiplied with the size of a number, and two of them added.
  uint64_t whole_number(const PickleValue& value, const char* what) const {
    constexpr int64_t kMax = int64_t{1} << 60;
    if (value.kind != Kind::integer) fail_value(what, "an integer", value);
    if (value.integer < 0 || value.integer > kMax) {
      fail_field(what, fmt::format("a number from 0 to {}", kMax), value.integer);
    }
    return static_cast<uint64_t>(value.integer);
  }

  std::vector<int64_t> whole_numbers(const PickleValue& tuple, const char* what) const {
    constexpr size_t kMaxDimensions = 8;
    if (tuple.kind != Kind::tuple) fail_value(what, "a tuple", tuple);
    if (tuple.parts.size() > kMaxDimensions) {
      fail_field(what, fmt::format("at most {} numbers", kMaxDimensions), tuple.parts.size());
    }
    std::vector<int64_t> numbers;
    for (size_t i = 0; i < tuple.parts.size(); ++i) {
      numbers.push_back(static_cast<int64_t>(whole_number(pickle_.part(tuple, i), what)));
    }
    return numbers;
  }

  static std::string dimensions(const std::vector<int64_t>& numbers) {
    return fmt::format("[{}]", fmt::join(numbers, ", "));
  }

  template <typename Found>
  [[noreturn]] void fail_field(const char* what, std::string_view expected, const Found& found) const {
    fail("{}: tensor {}: {}: expected {}, found {}", quoted(path_), quoted(name_), what, expected, found);
  }

  [[noreturn]] void fail_value(const char* what, std::string_view expected, const PickleValue& found) const {
    fail_field(what, expected,
               found.kind == Kind::global ? quoted(found.text) : std::string(kind_name(found.kind)));
  }

  const Pickle& pickle_;
  const std::string& path_;
  const std::string& name_;
};

bool is_contiguous(const TorchTensor& tensor) {
  int64_t expected = 1;
  for (size_t i = tensor.shape.size(); i-- > 0;) {
    if (tensor.shape[i] == 1) continue;  // any stride will do
    if (tensor.strides[i] != expected) return false;
    expected *= tensor.shape[i];
  }
  return true;
}

/// Tensors may share their numbers, and repeat them with a stride of 0, but a small file must not ask for a large
/// model's memory.
void check_repetition(const std::vector<TorchTensor>& tensors, const InputFile& file) {
  constexpr uint64_t kMaxRepetition = 16;
  uint64_t left = kMaxRepetition * file.size();
  for (const TorchTensor& tensor : tensors) {
    uint64_t bytes = tensor.type->bytes;
    for (const int64_t n : tensor.shape) {
      if (static_cast<uint64_t>(n) > left / bytes) {
        fail("{}: tensor {}: expected tensors that share at most {} times the file's {} bytes, found more",
             quoted(file.path()), quoted(tensor.name), kMaxRepetition, file.size());
      }
      bytes *= static_cast<uint64_t>(n);
    }
    left -= std::min(left, bytes);
  }
}

}  // namespace

uint64_t TorchTensor::span() const {
  uint64_t numbers = 1;
  for (size_t i = 0; i < shape.size(); ++i) numbers += static_cast<uint64_t>((shape[i] - 1) * strides[i]);
  return numbers * type->bytes;
}

bool is_torch_global(std::string_view name) {
  return name == kParameter || name == kUntypedStorage ||
         find_row(kRebuilds, &Rebuild::name, name) != nullptr ||
         find_row(kTypes, &TorchType::storage, name) != nullptr ||
         find_row(kTypes, &TorchType::name, name) != nullptr;
}

std::vector<TorchTensor> read_torch_tensors(const Pickle& pickle, const InputFile& file) {
  const PickleValue& root = pickle.values[pickle.root];
  if (root.kind != Kind::dict) {
    fail("{}: expected a dict of tensors (a state_dict), found {}", quoted(file.path()),
         kind_name(root.kind));
  }
  std::vector<TorchTensor> tensors;
  for (size_t i = 0; i < root.parts.size(); i += 2) {
    const PickleValue& name = pickle.part(root, i);
    if (name.kind != Kind::text) {
      fail("{}: expected names of tensors, found {}", quoted(file.path()), kind_name(name.kind));
    }
    tensors.push_back(TensorReader(pickle, file.path(), name.text).read(pickle.part(root, i + 1)));
  }
  check_repetition(tensors, file);
  return tensors;
}

void add_torch_tensor(TorchTensor tensor, const InputFile& file, uint64_t storage_at, ModelFile& model) {
  if (!tensor.type->dtype) {
    model.unread.push_back({std::move(tensor.name), std::string(tensor.type->name)});
    return;
  }
  const uint64_t offset = storage_at + tensor.first * tensor.type->bytes, bytes = tensor.span();
  if (is_contiguous(tensor)) tensor.strides.clear();
  model.tensors.push_back({.name = std::move(tensor.name),
                           .dtype = *tensor.type->dtype,
                           .shape = std::move(tensor.shape),
                           .file = &file,
                           .offset = offset,
                           .bytes = bytes,
                           .strides = std::move(tensor.strides)});
}

}  // namespace gptj
