#include "model/bound_model.h"

#include "base/error.h"

namespace gptj {

BoundModel::BoundModel(ModelFile from)
    : file(std::move(from)), binder(file), architecture(make_architecture(file)) {
  const Config& config = architecture->config();
  if (file.vocab.tokens.size() > static_cast<size_t>(config.n_vocab)) {
    fail("{}: vocab_size: expected at least the {} tokens of the vocabulary, found {}",
         quoted(file.config_source()), file.vocab.tokens.size(), config.n_vocab);
  }
  architecture->bind(binder);
  binder.check_unused(config.n_layer);
}

}  // namespace gptj
