#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "model/architecture.h"
#include "model/load.h"

namespace gptj::test {

/// Named rows, each [n_tokens, width] without room between them: what the probe saw, and "logits".
using Intermediates = std::map<std::string, std::vector<float>>;

struct Precision {
  Arithmetic arithmetic = Arithmetic::exact;
  KvType kv_type = KvType::f32;
};

/// A model as the engine opens it, its inside in reach.
class LoadedModel {
 public:
  explicit LoadedModel(const std::string& path, int n_threads = 2);

  const Config& config() const { return architecture_->config(); }
  const ModelFile& file() const { return file_; }
  uint64_t weight_bytes() const { return weight_bytes_; }
  uint64_t bytes_taken() const { return weights_.arena->used(); }

  /// All tokens in one pass, from an empty context.
  Intermediates evaluate(const std::vector<int>& ids, const Precision& precision = {});

 private:
  const ModelFile file_;
  ThreadPool pool_;
  std::unique_ptr<Architecture> architecture_;
  uint64_t weight_bytes_;
  Weights weights_;
};

}  // namespace gptj::test
