#include "convert/importance_file.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "io/safetensors.h"

namespace gptj {

Importance::Importance(const std::string& path, const Binder& binder) {
  const InputFile input(path);
  ModelFile file;
  read_safetensors(input, file);
  std::map<std::string, const FileTensor*> found;
  for (const FileTensor& tensor : file.tensors) found.emplace(tensor.name, &tensor);
  for (const MatrixBinding& matrix : binder.matrices()) {
    const auto it = found.find(matrix.name);
    if (it == found.end()) {
      if (matrix.layer < 0) continue;
      fail("{}: tensor {}: expected {} values, found no such tensor: made for another model?", quoted(path),
           quoted(matrix.name), matrix.to->n);
    }
    const FileTensor& tensor = *it->second;
    if (tensor.dtype != DType::f32 || tensor.shape != std::vector<int64_t>{matrix.to->n}) {
      fail("{}: tensor {}: expected {} values of F32, found {} bytes of {}: made for another model?",
           quoted(path), quoted(matrix.name), matrix.to->n, tensor.bytes, info(tensor.dtype).name);
    }
    std::vector<float> values(static_cast<size_t>(matrix.to->n));
    tensor.file->read_at(tensor.offset, values.data(), tensor.bytes);
    const bool valid =
        std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v) && v >= 0; });
    if (!valid) {
      fail("{}: tensor {}: expected mean squares, found a negative or no number", quoted(path),
           quoted(matrix.name));
    }
    set(matrix.name, std::move(values));
    found.erase(it);
  }
  if (!found.empty()) {
    fail("{}: tensor {}: the model has no such matrix: made for another model?", quoted(path),
         quoted(found.begin()->first));
  }
}

void Importance::set(const std::string& name, std::vector<float> mean_squares) {
  mean_squares_[name] = std::move(mean_squares);
}

const float* Importance::of(const std::string& name) const {
  const auto found = mean_squares_.find(name);
  return found == mean_squares_.end() ? nullptr : found->second.data();
}

void Importance::save(const std::string& path, const std::string& note) const {
  static_assert(std::endian::native == std::endian::little, "numbers are written as they lie in memory");
  nlohmann::json header = {{"__metadata__", {{"gpt-j imatrix", note}}}};
  uint64_t offset = 0;
  for (const auto& [name, values] : mean_squares_) {
    const uint64_t end = offset + values.size() * sizeof(float);
    header[name] = {{"dtype", "F32"}, {"shape", {values.size()}}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  const std::string text = header.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  const uint64_t length = text.size();
  OutputFile out(path);
  out.write(&length, sizeof(length));
  out.write(text.data(), text.size());
  for (const auto& [name, values] : mean_squares_) out.write(values.data(), values.size() * sizeof(float));
  out.commit();
}

}  // namespace gptj
