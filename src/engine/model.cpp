#include "gptj/model.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/thread_pool.h"
#include "engine/model_impl.h"
#include "engine/thread_count.h"
#include "io/model_file.h"
#include "model/stored_type.h"
#include "model/synthetic.h"

namespace gptj {
namespace {

/// The type of most weights, as the file has them.
std::string main_type(const std::set<const FileTensor*>& weights) {
  std::map<std::string_view, uint64_t> bytes;
  for (const FileTensor* weight : weights) bytes[weight->type()] += weight->bytes;
  const auto most = std::max_element(bytes.begin(), bytes.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  return std::string(most->first);
}

uint64_t n_values(const FileTensor& tensor) {
  uint64_t count = 1;
  for (const int64_t dimension : tensor.shape) count *= static_cast<uint64_t>(dimension);
  return count;
}

ModelInfo describe(const ModelFile& file, const Architecture& architecture, const Binder& binder) {
  const Config& config = architecture.config();
  ModelInfo out;
  out.path = file.path;
  out.file_format = file.format;
  out.architecture = config.model_type;
  out.type = main_type(binder.used());
  out.n_vocab = config.n_vocab;
  out.n_ctx = config.n_ctx;
  out.n_embd = config.n_embd;
  out.n_head = config.n_head;
  out.n_layer = config.n_layer;
  out.n_inner = config.n_inner;
  out.n_rot = config.n_rot;
  out.activation = activation_name(config.activation);
  out.weight_bytes = binder.weight_bytes();
  out.read_bytes = architecture.read_bytes();
  for (const FileTensor* weight : binder.used()) out.n_params += n_values(*weight);
  for (const FileTensor& tensor : file.tensors) {
    out.tensors.push_back({tensor.name, tensor.type(), tensor.shape, tensor.bytes});
  }
  return out;
}

}  // namespace

void check_vocab_fits(const ModelFile& file, int n_rows) {
  if (file.vocab.tokens.size() > static_cast<size_t>(n_rows)) {
    fail("{}: vocab_size: expected at least the {} tokens of the vocabulary, found {}",
         quoted(file.config_source()), file.vocab.tokens.size(), n_rows);
  }
}

struct OpenedModel::Impl {
  explicit Impl(ModelFile from) : file(std::move(from)), binder(file), architecture(make_architecture(file)) {
    const Config& config = architecture->config();
    check_vocab_fits(file, config.n_vocab);
    architecture->bind(binder);
    binder.check_unused(config.n_layer);
    info = describe(file, *architecture, binder);
    tokenizer.emplace(std::move(file.vocab));
  }

  ModelFile file;
  Binder binder;
  std::unique_ptr<Architecture> architecture;
  ModelInfo info;
  std::optional<Tokenizer> tokenizer;
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
  return *impl_->tokenizer;
}

bool OpenedModel::store_as(const std::string& type) {
  const bool changes = impl_->binder.store_as(dtype_by_name(type));
  if (!changes) return false;
  impl_->info.type = type;
  impl_->info.weight_bytes = impl_->binder.weight_bytes();
  impl_->info.read_bytes = impl_->architecture->read_bytes();
  return true;
}

Tokenizer open_tokenizer(const std::string& path) {
  return Tokenizer(open_vocab(path));
}

Model::Model(OpenedModel opened, const LoadOptions& options) {
  OpenedModel::Impl& from = *opened.impl_;
  ThreadPool pool(thread_count(options.n_threads));
  Weights weights = from.binder.load(pool, options);
  from.info.mapped_bytes = weights.mapped_bytes;
  std::map<const uint8_t*, std::string> names;
  for (const MatrixBinding& matrix : from.binder.matrices()) names.emplace(matrix.to->data, matrix.name);
  impl_ =
      std::make_unique<const Impl>(Impl{std::move(from.info), std::move(*from.tokenizer), std::move(weights),
                                        std::move(from.architecture), std::move(names)});
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

}  // namespace gptj
