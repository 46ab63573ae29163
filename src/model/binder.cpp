#include "model/binder.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "model/stored_type.h"

namespace gptj {
namespace {

constexpr std::string_view kPrefix = "transformer.";

/// The N of "h.N.", "model/hN/" and the like at the start of a name, -1: none.
int layer_number(std::string_view name, Naming naming) {
  const auto skip = [&](std::string_view start) {
    if (!name.starts_with(start)) return false;
    name.remove_prefix(start.size());
    return true;
  };
  skip(kPrefix);
  const bool in_layer = naming == Naming::gguf ? skip("blk.") : skip("model/h") || skip("h.");
  int number = -1;
  if (in_layer) std::from_chars(name.data(), name.data() + name.size(), number);
  return number;
}

/// Torch writes a tied head by both of its names, as two views of one storage.
bool same_place(const FileTensor& a, const FileTensor& b) {
  if (&a == &b) return true;
  return a.file != nullptr && a.file == b.file && a.offset == b.offset && a.dtype == b.dtype &&
         a.encoding == b.encoding && a.shape == b.shape && a.strides == b.strides;
}

std::string shape_text(const std::vector<int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

}  // namespace

std::string_view TensorName::in(Naming naming) const {
  switch (naming) {
    case Naming::ggml:
      return ggml;
    case Naming::gguf:
      return gguf;
    case Naming::huggingface:
      break;
  }
  return huggingface;
}

std::string TensorName::in(Naming naming, int layer) const {
  const std::string_view pattern = in(naming);
  return layer < 0 ? std::string(pattern) : fmt::format(fmt::runtime(pattern), layer);
}

Binder::Binder(const ModelFile& file, MakeUp make_up) : file_(file), make_up_(std::move(make_up)) {
  for (const FileTensor& tensor : file.tensors) by_name_.emplace(tensor.name, &tensor);
}

const FileTensor* Binder::find(const TensorName& name, int layer) const {
  const std::string plain = name.in(file_.naming, layer);
  auto found = by_name_.find(plain);
  if (found == by_name_.end() && file_.naming == Naming::huggingface)
    found = by_name_.find(std::string(kPrefix) + plain);
  return found == by_name_.end() ? nullptr : found->second;
}

const UnreadTensor* Binder::find_unread(const TensorName& name, int layer) const {
  const std::string plain = name.in(file_.naming, layer);
  const auto found = std::find_if(file_.unread.begin(), file_.unread.end(), [&](const UnreadTensor& other) {
    return other.name == plain || other.name == std::string(kPrefix) + plain;
  });
  return found == file_.unread.end() ? nullptr : &*found;
}

const FileTensor& Binder::require(const TensorName& name, int layer, const std::vector<int64_t>& shape) {
  const FileTensor* tensor = find(name, layer);
  const std::string wanted = name.in(file_.naming, layer);
  if (tensor == nullptr && make_up_) {
    tensor = &make_up_(wanted, shape);
    by_name_.emplace(tensor->name, tensor);
  }
  if (tensor == nullptr) {
    const UnreadTensor* unread = find_unread(name, layer);
    fail("{}: tensor {}: expected shape {}, found {}", quoted(file_.path), quoted(wanted), shape_text(shape),
         unread == nullptr ? "no such tensor"
                           : fmt::format("it as {}, a type that is not read", unread->type));
  }
  if (tensor->shape != shape) {
    fail("{}: tensor {}: expected shape {}, found {}", quoted(file_.path), quoted(tensor->name),
         shape_text(shape), shape_text(tensor->shape));
  }
  used_.insert(tensor);
  return *tensor;
}

void Binder::add_matrix(MatrixBinding binding, int64_t rows, int64_t n) {
  Matrix& to = *binding.to;
  to.dtype = binding.from->dtype;
  to.rows = static_cast<int>(rows);
  to.n = static_cast<int>(n);
  const auto same = std::find_if(matrices_.begin(), matrices_.end(), [&](const MatrixBinding& other) {
    return same_place(*other.from, *binding.from) && other.transposed == binding.transposed &&
           other.rows == binding.rows;
  });
  if (same != matrices_.end()) {
    shared_.emplace_back(&to, same->to);
  } else {
    matrices_.push_back(std::move(binding));
  }
}

void Binder::matrix(Matrix& to, const TensorName& name, int64_t rows, int64_t n, int layer) {
  const FileTensor& from = require(name, layer, {rows, n});
  add_matrix({.name = name.in(Naming::huggingface, layer),
              .layer = layer,
              .to = &to,
              .from = &from,
              .transposed = false,
              .names = name},
             rows, n);
}

void Binder::matrix(Matrix& to, const TensorName& name, int64_t rows, int64_t n, int layer,
                    const FusedRows& fused) {
  if (has(name, layer)) return matrix(to, name, rows, n, layer);
  const FileTensor& from = require(fused.tensor, layer, {fused.n_rows, n});
  if (from.panels) {
    fail("{}: tensor {}: expected {} instead, for rows of panels cannot be taken apart", quoted(file_.path),
         quoted(from.name), quoted(name.in(file_.naming, layer)));
  }
  add_matrix({.name = name.in(Naming::huggingface, layer),
              .layer = layer,
              .to = &to,
              .from = &from,
              .transposed = false,
              .rows = fused.rows,
              .names = name},
             rows, n);
}

void Binder::conv1d(Matrix& to, const TensorName& name, int64_t rows, int64_t n, int layer) {
  const FileTensor* found = find(name, layer);
  const bool in_panels = found != nullptr && found->panels;
  const bool transposed = file_.naming == Naming::huggingface && !in_panels;
  const FileTensor& from = require(name, layer, transposed ? std::vector{n, rows} : std::vector{rows, n});
  add_matrix({.name = name.in(Naming::huggingface, layer),
              .layer = layer,
              .to = &to,
              .from = &from,
              .transposed = transposed,
              .names = name,
              .conv1d = true},
             rows, n);
}

void Binder::vector(Vector& to, const TensorName& name, int64_t n, int layer) {
  to.n = static_cast<int>(n);
  vectors_.push_back({name.in(Naming::huggingface, layer), &to, &require(name, layer, {n}), name, layer});
}

void Binder::optional_vector(Vector& to, const TensorName& name, int64_t n, int layer) {
  if (find(name, layer) != nullptr || find_unread(name, layer) != nullptr) return vector(to, name, n, layer);
  to.n = static_cast<int>(n);
  vectors_.push_back({name.in(Naming::huggingface, layer), &to, nullptr, name, layer});
}

bool Binder::store_as(DType wanted) {
  bool changes = false;
  for (const MatrixBinding& matrix : matrices_) {
    matrix.to->dtype = stored_type(wanted, matrix);
    changes |= matrix.to->dtype != matrix.from->dtype;
  }
  for (const auto& [to, from] : shared_) to->dtype = from->dtype;
  return changes;
}

void Binder::check_unused(int n_layer) const {
  for (const FileTensor& tensor : file_.tensors) {
    if (used_.contains(&tensor)) continue;
    if (const int layer = layer_number(tensor.name, file_.naming); layer >= n_layer) {
      fail("{}: tensor {}: expected {} layers (n_layer), found layer {}", quoted(file_.path),
           quoted(tensor.name), n_layer, layer);
    }
    if (file_.naming == Naming::ggml) {
      fail("{}: tensor {}: expected only the tensors of the model, found this one too", quoted(file_.path),
           quoted(tensor.name));
    }
  }
}

}  // namespace gptj
