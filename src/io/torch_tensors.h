#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/model_file.h"
#include "io/pickle.h"

namespace gptj {

/// A type of numbers, by torch's names.
struct TorchType {
  std::string_view storage;  // "torch.FloatStorage"
  std::string_view name;     // "torch.float32"
  uint64_t bytes;
  std::optional<DType> dtype;  // nullopt: found beside weights (attention masks, counters), never needed
};

/// A block of numbers in a torch file, which several tensors may share.
struct TorchStorage {
  std::string_view key;  // in the pickle
  uint64_t values;
  uint64_t value_bytes;

  uint64_t bytes() const { return values * value_bytes; }  // at most 2^63
};

/// A tensor as the pickle of a torch file describes it. Its numbers are inside its storage.
struct TorchTensor {
  std::string name;
  const TorchType* type;
  TorchStorage storage;
  uint64_t first;                // index in the storage of the tensor's first number
  std::vector<int64_t> shape;    // outermost dimension first, all > 0
  std::vector<int64_t> strides;  // in numbers, of each dimension

  /// Bytes from its first number to its last, with what lies between them.
  uint64_t span() const;
};

/// Whether weights need this Python global.
bool is_torch_global(std::string_view name);

/// The tensors of a state_dict; valid while the pickle lives. Throws Error, naming the file, for anything else in it.
std::vector<TorchTensor> read_torch_tensors(const Pickle& pickle, const InputFile& file);

/// Adds the tensor, whose storage begins at byte `storage_at` of the file and lies inside it.
void add_torch_tensor(TorchTensor tensor, const InputFile& file, uint64_t storage_at, ModelFile& model);

}  // namespace gptj
