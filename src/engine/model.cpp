#include "gptj/model.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/thread_count.h"
#include "base/thread_pool.h"
#include "engine/model_impl.h"
#include "io/model_file.h"
#include "model/bound_model.h"
#include "model/stored_type.h"
#include "model/synthetic.h"

namespace gptj {
namespace {

/// The type of most bytes in the layers' matrices: what a model is named by, however large its vocabulary.
template <class TypeOf>
std::string main_type(const Binder& binder, const TypeOf& type_of) {
  std::map<std::string_view, uint64_t> bytes;
  for (const MatrixBinding& matrix : binder.matrices()) {
    if (matrix.layer >= 0) bytes[type_of(matrix)] += matrix.from->bytes;
  }
  const auto most = std::max_element(bytes.begin(), bytes.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  return std::string(most->first);
}

std::string file_type(const Binder& binder) {
  return main_type(binder, [](const MatrixBinding& matrix) { return matrix.from->type(); });
}

std::string memory_type(const Binder& binder) {
  return main_type(binder, [](const MatrixBinding& matrix) { return info(matrix.to->dtype).name; });
}

uint64_t n_values(const FileTensor& tensor) {
  uint64_t count = 1;
  for (const int64_t dimension : tensor.shape) count *= static_cast<uint64_t>(dimension);
  return count;
}

std::vector<std::span<const uint8_t>> bytes_of_weights(const Binder& binder) {
  std::vector<std::span<const uint8_t>> out;
  for (const MatrixBinding& matrix : binder.matrices()) {
    out.emplace_back(matrix.to->data, static_cast<size_t>(matrix.to->bytes()));
  }
  for (const VectorBinding& vector : binder.vectors()) {
    out.emplace_back(reinterpret_cast<const uint8_t*>(vector.to->data),
                     static_cast<size_t>(vector.to->n) * sizeof(float));
  }
  return out;
}

ModelInfo describe(const BoundModel& model) {
  const ModelFile& file = model.file;
  const Config& config = model.architecture->config();
  ModelInfo out;
  out.path = file.path;
  out.sources = file.sources();
  out.file_format = file.format;
  out.architecture = config.model_type;
  out.type = file_type(model.binder);
  out.memory_type = memory_type(model.binder);
  out.n_vocab = config.n_vocab;
  out.n_ctx = config.n_ctx;
  out.n_embd = config.n_embd;
  out.n_head = config.n_head;
  out.n_layer = config.n_layer;
  out.n_inner = config.n_inner;
  out.n_rot = config.n_rot;
  out.activation = activation_name(config.activation);
  out.weight_bytes = loaded_bytes(model.binder);
  out.read_bytes = model.architecture->read_bytes();
  for (const FileTensor* weight : model.binder.used()) out.n_params += n_values(*weight);
  for (const FileTensor& tensor : file.tensors) {
    out.tensors.push_back({tensor.name, tensor.type(), tensor.shape, tensor.bytes});
  }
  return out;
}

}  // namespace

struct OpenedModel::Impl {
  explicit Impl(ModelFile file)
      : bound(std::move(file)), info(describe(bound)), tokenizer(std::move(bound.file.vocab)) {}

  BoundModel bound;
  ModelInfo info;
  Tokenizer tokenizer;
};

OpenedModel::OpenedModel(const std::string& path) : impl_(std::make_unique<Impl>(open_model_file(path))) {}
OpenedModel::OpenedModel(const SyntheticModel& model)
    : impl_(std::make_unique<Impl>(synthetic_model(model.shape, model.type))) {}
OpenedModel::OpenedModel(OpenedModel&&) noexcept = default;
OpenedModel& OpenedModel::operator=(OpenedModel&&) noexcept = default;
OpenedModel::~OpenedModel() = default;

const ModelInfo& OpenedModel::info() const {
  return impl_->info;
}
const Tokenizer& OpenedModel::tokenizer() const {
  return impl_->tokenizer;
}

bool OpenedModel::store_as(const std::string& type) {
  BoundModel& bound = impl_->bound;
  if (!bound.binder.store_as(parse_dtype(type))) return false;
  impl_->info.type = type;
  impl_->info.memory_type = memory_type(bound.binder);
  impl_->info.weight_bytes = loaded_bytes(bound.binder);
  impl_->info.read_bytes = bound.architecture->read_bytes();
  return true;
}

Tokenizer open_tokenizer(const std::string& path) {
  return Tokenizer(open_vocab(path));
}

Model::Model(OpenedModel opened, const LoadOptions& options) {
  OpenedModel::Impl& from = *opened.impl_;
  ThreadPool pool(thread_count(options.n_threads));
  Weights weights = load_weights(from.bound.binder, pool, options);
  from.info.mapped_bytes = weights.mapped_bytes;
  std::map<const uint8_t*, std::string> names;
  for (const MatrixBinding& matrix : from.bound.binder.matrices())
    names.emplace(matrix.to->data, matrix.name);
  impl_ = std::make_unique<const Impl>(Impl{std::move(from.info), std::move(from.tokenizer),
                                            std::move(weights), std::move(from.bound.architecture),
                                            std::move(names), bytes_of_weights(from.bound.binder)});
}

Model::Model(const std::string& path, const LoadOptions& options) : Model(OpenedModel(path), options) {}
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

const ModelInfo& Model::info() const {
  return impl_->info;
}
const Tokenizer& Model::tokenizer() const {
  return impl_->tokenizer;
}
const GrammarVocabulary& Model::grammar_vocabulary() const {
  LazyGrammarVocabulary& vocabulary = *impl_->grammar_vocabulary;
  std::call_once(vocabulary.once, [&] { vocabulary.made.emplace(tokenizer(), info().n_vocab); });
  return *vocabulary.made;
}

}  // namespace gptj
