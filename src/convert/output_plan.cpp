#include "convert/output_plan.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "model/architecture.h"
#include "model/stored_type.h"

namespace gptj {
namespace {

using nlohmann::json;

constexpr std::string_view kPositions = "wpe.weight", kEmbedding = "wte.weight", kHead = "lm_head.weight";

bool has_head(const Binder& binder) {
  const std::vector<MatrixBinding>& all = binder.matrices();
  return std::any_of(all.begin(), all.end(), [](const MatrixBinding& m) { return m.name == kHead; });
}

std::string types_of(const OutputForm& form) {
  std::string names;
  for (const DType dtype : types_by_size()) {
    if (form.stores(dtype)) names += (names.empty() ? "" : ", ") + std::string(info(dtype).name);
  }
  return names;
}

/// Chooses the types that a form's matrices are stored as.
class TypeChoice {
 public:
  TypeChoice(const OutputForm& form, const std::string& in, std::optional<DType> wanted)
      : form_(form), in_(in), wanted_(wanted) {
    if (wanted && !form.stores(*wanted)) {
      fail("type: {} stores {}, found {}", form.description, types_of(form), info(*wanted).name);
    }
  }

  DType of(const MatrixBinding& matrix) {
    if (form_.one_type && matrix.name == kPositions) return DType::f32;
    const DType dtype = choose(matrix);
    const int64_t n = matrix.to->n;
    if (n % info(dtype).block != 0) {
      fail(
          "{}: tensor {}: {} has one type for all matrices, but rows of {} values are no whole number of {} "
          "blocks",
          quoted(in_), quoted(matrix.from->name), form_.description, n, info(dtype).name);
    }
    if (!form_.stores(dtype)) {
      fail("{}: tensor {}: {} stores {}, found {}; choose one with --type", quoted(in_),
           quoted(matrix.from->name), form_.description, types_of(form_), info(dtype).name);
    }
    if (form_.one_type && first_ && dtype != *first_) {
      fail("{}: tensor {}: {} has one type for all matrices, found {} and {}; choose one with --type",
           quoted(in_), quoted(matrix.from->name), form_.description, info(*first_).name, info(dtype).name);
    }
    first_ = dtype;
    return dtype;
  }

 private:
  DType choose(const MatrixBinding& matrix) const {
    if (!wanted_) return matrix.from->dtype;
    return form_.one_type ? *wanted_ : stored_type(*wanted_, matrix);
  }

  const OutputForm& form_;
  const std::string& in_;
  const std::optional<DType> wanted_;
  std::optional<DType> first_;
};

}  // namespace

OutputPlan::OutputPlan(const OutputForm& form, const ModelFile& file, const Config& config,
                       const Binder& binder, std::optional<DType> wanted) {
  TypeChoice type(form, file.path, wanted);
  const auto add = [&](const MatrixBinding& from, std::string name) {
    const bool transposed = from.conv1d && form.conv1d;
    const int64_t rows = from.to->rows, n = from.to->n;
    std::vector<int64_t> shape = transposed ? std::vector{n, rows} : std::vector{rows, n};
    matrices.push_back({&from, {std::move(name), type.of(from), std::move(shape)}, transposed});
  };
  for (const MatrixBinding& matrix : binder.matrices()) {
    add(matrix, matrix.names.in(form.naming, matrix.layer));
    // ggml's GPT-J has a head even where that is the embedding. Its names are Hugging Face's.
    const bool is_head_too = matrix.name == kEmbedding && !has_head(binder);
    if (is_head_too && form.naming == Naming::ggml && config.n_rot > 0) add(matrix, std::string(kHead));
  }
  for (const VectorBinding& vector : binder.vectors()) {
    const bool plain = form.plain_vectors && vector.from != nullptr && info(vector.from->dtype).block == 1;
    vectors.push_back({&vector,
                       {vector.names.in(form.naming, vector.layer),
                        plain ? vector.from->dtype : DType::f32,
                        {vector.to->n}}});
  }
}

std::vector<OutputTensor> OutputPlan::tensors() const {
  std::vector<OutputTensor> all;
  for (const PlannedMatrix& matrix : matrices) all.push_back(matrix.to);
  for (const PlannedVector& vector : vectors) all.push_back(vector.to);
  return all;
}

json complete_config(const ModelFile& file, const Config& config, const Binder& binder) {
  json out = *file.config;
  const auto assumed = [&](const char* key, const json& value) {
    if (!out.contains(key) || out[key].is_null()) out[key] = value;
  };
  assumed("vocab_size", config.n_vocab);
  assumed("n_positions", config.n_ctx);
  assumed("n_embd", config.n_embd);
  assumed("n_head", config.n_head);
  assumed("n_layer", config.n_layer);
  assumed("n_inner", config.n_inner);
  if (config.n_rot > 0) assumed("rotary_dim", config.n_rot);
  assumed("activation_function", activation_name(config.activation));
  assumed("layer_norm_epsilon", 1e-5);  // Config's default, which F32 does not hold exactly
  assumed("scale_attn_weights", true);
  assumed("scale_attn_by_inverse_layer_idx", false);
  out["model_type"] = written_model_type(config);
  out["tie_word_embeddings"] = !has_head(binder);
  return out;
}

}  // namespace gptj
