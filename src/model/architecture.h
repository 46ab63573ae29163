#pragma once

#include <functional>
#include <memory>

#include "model/binder.h"
#include "model/config.h"
#include "model/lm_head.h"
#include "model/pass.h"

namespace gptj {

/// Whether work should end early.
using Cancelled = std::function<bool()>;

/// A family of models: its weights, and how tokens pass through them. Const once its weights are loaded.
class Architecture {
 public:
  virtual ~Architecture() = default;

  const Config& config() const { return config_; }

  /// Names every weight to the binder.
  virtual void bind(Binder& binder) = 0;

  /// Evaluates the tokens of the pass. Their keys and values go into its KV cache behind those that are there (the
  /// caller then appends the tokens to it), their hidden states stay in its scratch. `cancelled` is asked before each
  /// layer; false: it said yes.
  virtual bool forward(const Pass& pass, const Cancelled& cancelled = {}) const = 0;

  /// After forward(): the states of tokens [first, first + count) after the final norm.
  Rows final_states(const Pass& pass, int first, int count) const {
    return final_norm(pass, head(), config_.layer_norm_eps, first, count);
  }

  /// After forward(): makes their logits, in rows 0 ... of Scratch::logits.
  void logits(const Pass& pass, int first, int count) const {
    lm_logits(pass, head(), config_.layer_norm_eps, first, count);
  }

  /// Bytes of weights that evaluating a single token reads.
  virtual uint64_t read_bytes() const = 0;

 protected:
  explicit Architecture(const Config& config) : config_(config) {}

  virtual const LmHead& head() const = 0;

  const Config config_;
};

/// One row of THE list of architectures.
struct ArchitectureInfo {
  std::string_view name;  // model_type in config.json
  std::unique_ptr<Architecture> (*make)(const ModelFile& file);
  std::string_view written_as = {};  // model_type when its weights have been written; empty: the same
};

/// The architecture that the file's config names. Throws Error if it is not in the list or its config is
/// wrong.
std::unique_ptr<Architecture> make_architecture(const ModelFile& file);

/// The model_type of what is written of such a model: each of its weights as a tensor of its own.
std::string_view written_model_type(const Config& config);

std::unique_ptr<Architecture> make_gptj(const ModelFile& file);
std::unique_ptr<Architecture> make_gpt2(const ModelFile& file);
std::unique_ptr<Architecture> make_codegen(const ModelFile& file);

}  // namespace gptj
