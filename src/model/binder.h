#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "io/model_file.h"
#include "tensor/tensor.h"

namespace gptj {

/// The names of one tensor in the three namings. In the names of a layer's tensor "{}" stands for the layer's number.
/// Hugging Face's names are given without the optional "transformer." in front.
struct TensorName {
  std::string_view huggingface;
  std::string_view ggml;
  std::string_view gguf;

  std::string_view in(Naming naming) const;
  std::string in(Naming naming, int layer) const;  // -1: outside of the layers
};

/// The rows of a tensor that form a matrix: `block` rows from `first` on, then as many `step` rows further, and so on.
struct RowBlocks {
  int64_t first = 0;
  int64_t block = 1;
  int64_t step = 1;

  int64_t row(int64_t index) const { return first + index / block * step + index % block; }
  bool operator==(const RowBlocks&) const = default;
};

/// A tensor that holds several matrices, [n_rows, n] in all, and the rows that form one of them.
struct FusedRows {
  TensorName tensor;
  int64_t n_rows;
  RowBlocks rows;
};

/// A weight of the model and the tensor that it comes from.
struct MatrixBinding {
  std::string name;  // Hugging Face's
  int layer;         // -1: outside of the layers, an embedding or the head
  Matrix* to;
  const FileTensor* from;
  bool transposed;  // the tensor is [n, rows]
  RowBlocks rows = {};
  TensorName names = {};
  bool conv1d = false;  // Hugging Face's form of it is [n, rows], whatever this file's
};
struct VectorBinding {
  std::string name;
  Vector* to;
  const FileTensor* from;  // nullptr: zeros
  TensorName names = {};
  int layer = -1;
};

/// Ties the tensors of a file to the weights of a model. An architecture names each tensor that it needs, its shape,
/// and the view that it will fill; the binder finds it in the file and checks it. Then check_unused() looks for
/// tensors that should not be there. load_weights() (model/load.h) reads the data.
///
/// The functions that bind throw Error if there is no such tensor or it has another shape. A layer of -1 is outside
/// of the layers.
class Binder {
 public:
  /// Makes up a tensor of this shape that the file does not have; it must not move afterwards.
  using MakeUp = std::function<const FileTensor&(const std::string& name, const std::vector<int64_t>& shape)>;

  explicit Binder(const ModelFile& file, MakeUp make_up = {});

  void matrix(Matrix& to, const TensorName& name, int64_t rows, int64_t n, int layer = -1);
  /// As matrix(), where files may also keep it as rows of a fused tensor.
  void matrix(Matrix& to, const TensorName& name, int64_t rows, int64_t n, int layer, const FusedRows& fused);
  /// As matrix(), where Hugging Face's files keep it transposed, [n, rows] (GPT-2's Conv1D).
  void conv1d(Matrix& to, const TensorName& name, int64_t rows, int64_t n, int layer = -1);
  void vector(Vector& to, const TensorName& name, int64_t n, int layer = -1);
  /// Zeros where the file has none.
  void optional_vector(Vector& to, const TensorName& name, int64_t n, int layer = -1);

  bool has(const TensorName& name, int layer = -1) const { return find(name, layer) != nullptr; }

  /// The file's tensors that are weights of the model, each once.
  const std::set<const FileTensor*>& used() const { return used_; }

  /// All weights, in the order in which they were named; of several matrices that share a tensor the first.
  const std::vector<MatrixBinding>& matrices() const { return matrices_; }
  const std::vector<VectorBinding>& vectors() const { return vectors_; }
  /// The others of these matrices, each with the first.
  const std::vector<std::pair<Matrix*, const Matrix*>>& shared() const { return shared_; }

  const std::string& path() const { return file_.path; }  // of the model

  /// Throws Error for layers beyond n_layer, which would silently be ignored, and for any other unneeded tensor of a
  /// ggml file.
  void check_unused(int n_layer) const;

  /// Has each matrix loaded in the type that stored_type() says, quantized if the file has another. False: all have
  /// these types already.
  bool store_as(DType wanted);

 private:
  const FileTensor* find(const TensorName& name, int layer) const;
  const UnreadTensor* find_unread(const TensorName& name, int layer) const;
  const FileTensor& require(const TensorName& name, int layer, const std::vector<int64_t>& shape);
  void add_matrix(MatrixBinding binding, int64_t rows, int64_t n);

  const ModelFile& file_;
  const MakeUp make_up_;
  std::unordered_map<std::string_view, const FileTensor*> by_name_;
  std::set<const FileTensor*> used_;
  std::vector<MatrixBinding> matrices_;
  std::vector<std::pair<Matrix*, const Matrix*>> shared_;
  std::vector<VectorBinding> vectors_;
};

}  // namespace gptj
