#include "model/config.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace gptj {
namespace {

using nlohmann::json;

constexpr int kLargest = 1 << 24;  // of any dimension: far beyond every model, far below overflow

struct ActivationName {
  std::string_view name;
  Activation activation;
};
constexpr ActivationName kActivationNames[] = {
    {"gelu_new", Activation::gelu_new},
    {"gelu", Activation::gelu},
    {"relu", Activation::relu},
    {"gelu_pytorch_tanh", Activation::gelu_new},  // the same formula
};

/// Keys that configs may have instead; transformers accepts either.
struct Alias {
  std::string_view key, other;
};
constexpr Alias kAliases[] = {
    {"n_positions", "max_position_embeddings"},
    {"n_embd", "hidden_size"},
    {"n_head", "num_attention_heads"},
    {"n_layer", "num_hidden_layers"},
};

/// A value to show in a message.
std::string shown(const json& value) {
  return quoted(value.dump(-1, ' ', false, json::error_handler_t::replace));
}

/// The value of `key` or of its alias, nullptr where both are missing or null.
const json* find(const json& config, std::string_view key) {
  const auto it = config.find(key);
  if (it != config.end() && !it->is_null()) return &*it;
  for (const Alias& alias : kAliases) {
    if (key == alias.key) return find(config, alias.other);
  }
  return nullptr;
}

bool config_bool(const json& config, const std::string& path, const char* key, bool fallback) {
  const json* value = find(config, key);
  if (value == nullptr) return fallback;
  if (!value->is_boolean())
    fail("{}: {}: expected true or false, found {}", quoted(path), key, shown(*value));
  return value->get<bool>();
}

float config_eps(const json& config, const std::string& path, const char* key, float fallback) {
  const json* value = find(config, key);
  if (value == nullptr) return fallback;
  const double eps = value->is_number() ? value->get<double>() : NAN;
  if (!(eps >= 0 && eps <= 1)) {
    fail("{}: {}: expected a number from 0 to 1, found {}", quoted(path), key, shown(*value));
  }
  return static_cast<float>(eps);
}

Activation config_activation(const json& config, const std::string& path, const char* key) {
  const json* value = find(config, key);
  if (value == nullptr) return Activation::gelu_new;
  std::string known;
  for (const ActivationName& row : kActivationNames) {
    if (value->is_string() && value->get_ref<const std::string&>() == row.name) return row.activation;
    known += (known.empty() ? "" : ", ") + std::string(row.name);
  }
  fail("{}: {}: expected one of {}, found {}", quoted(path), key, known, shown(*value));
}

}  // namespace

float Config::attention_scale(int layer) const {
  const float by_head = scale_attn_weights ? 1.0f / std::sqrt(static_cast<float>(head_dim())) : 1.0f;
  return scale_attn_by_inverse_layer_idx ? by_head / static_cast<float>(layer + 1) : by_head;
}

int config_int(const json& config, const std::string& path, const char* key, int low, int high,
               const int* fallback) {
  const json* value = find(config, key);
  if (value == nullptr) {
    if (fallback != nullptr) return *fallback;
    fail("{}: {}: expected a number, found nothing", quoted(path), key);
  }
  const double number = value->is_number() ? value->get<double>() : NAN;
  if (!(number >= low && number <= high && number == std::floor(number))) {
    fail("{}: {}: expected a whole number from {} to {}, found {}", quoted(path), key, low, high,
         shown(*value));
  }
  return static_cast<int>(number);
}

std::string config_model_type(const json& config) {
  const json* type = find(config, "model_type");
  if (type != nullptr) return type->is_string() ? type->get<std::string>() : "";
  const json* classes = find(config, "architectures");
  return classes != nullptr && *classes == json::array({"GPT2LMHeadModel"}) ? "gpt2" : "";
}

Config read_config(const json& config, const std::string& path, bool tied_by_default) {
  Config out;
  out.model_type = config_model_type(config);
  out.n_vocab = config_int(config, path, "vocab_size", 1, kLargest);
  out.n_ctx = config_int(config, path, "n_positions", 1, kLargest);
  out.n_embd = config_int(config, path, "n_embd", 1, kLargest);
  out.n_head = config_int(config, path, "n_head", 1, kLargest);
  out.n_layer = config_int(config, path, "n_layer", 1, 10'000);
  if (out.n_embd % out.n_head != 0) {
    fail("{}: n_embd: expected a multiple of n_head = {}, found {}", quoted(path), out.n_head, out.n_embd);
  }
  const int four_times = 4 * out.n_embd;
  out.n_inner = config_int(config, path, "n_inner", 1, 4 * kLargest, &four_times);
  out.activation = config_activation(config, path, "activation_function");
  out.layer_norm_eps = config_eps(config, path, "layer_norm_epsilon", 1e-5f);
  out.scale_attn_weights = config_bool(config, path, "scale_attn_weights", true);
  out.scale_attn_by_inverse_layer_idx = config_bool(config, path, "scale_attn_by_inverse_layer_idx", false);
  out.tied = config_bool(config, path, "tie_word_embeddings", tied_by_default);
  return out;
}

std::string_view activation_name(Activation activation) {
  for (const ActivationName& row : kActivationNames) {
    if (row.activation == activation) return row.name;
  }
  return "?";
}

}  // namespace gptj
