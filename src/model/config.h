#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "kernels/kernels.h"

namespace gptj {

/// The shape of a model as its config.json gives it. All values have been checked.
struct Config {
  std::string model_type;
  int n_vocab = 0;
  int n_ctx = 0;
  int n_embd = 0;
  int n_head = 0;
  int n_layer = 0;
  int n_inner = 0;
  int n_rot = 0;  // 0: no rotary embedding
  Activation activation = Activation::gelu_new;
  float layer_norm_eps = 1e-5f;
  bool scale_attn_weights = true;
  bool scale_attn_by_inverse_layer_idx = false;
  bool tied = false;  // lm_head is wte

  int head_dim() const { return n_embd / n_head; }
  float attention_scale(int layer) const;
};

/// Reads what all architectures have in common. `path` is for messages. Throws Error, naming the key, for values that
/// are missing or out of range.
Config read_config(const nlohmann::json& config, const std::string& path, bool tied_by_default);

/// The config's "model_type". Configs of 2019 have none, but name GPT-2's class. Empty: neither is there.
std::string config_model_type(const nlohmann::json& config);

/// An integer of the config in [low, high]. Where the key is missing or null it is `*fallback`, or without one an
/// Error.
int config_int(const nlohmann::json& config, const std::string& path, const char* key, int low, int high,
               const int* fallback = nullptr);

std::string_view activation_name(Activation activation);

}  // namespace gptj
