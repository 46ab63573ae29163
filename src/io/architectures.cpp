#include "io/architectures.h"

#include <nlohmann/json.hpp>

#include "base/error.h"

namespace gptj {
namespace {

constexpr std::string_view kGptjTransposed[] = {".mlp.fc_in.weight", ".attn.q_proj.weight",
                                                ".attn.k_proj.weight", ".attn.v_proj.weight",
                                                ".attn.out_proj.weight"};
constexpr std::string_view kGpt2Transposed[] = {"/attn/c_attn/w", "/attn/c_proj/w", "/mlp/c_fc/w"};

constexpr FileArchitecture kArchitectures[] = {
    {.model_type = "gptj",
     .transformers_class = "GPTJForCausalLM",
     .rotary = true,
     .ggml = {.embedding = "transformer.wte.weight",
              .optional_head = "",
              .first_layer = "transformer.h.0",
              .once_transposed = kGptjTransposed}},
    {.model_type = "gpt2",
     .transformers_class = "GPT2LMHeadModel",
     .rotary = false,
     .ggml = {.embedding = "model/wte",
              .optional_head = "model/lm_head",
              .first_layer = "model/h0",
              .once_transposed = kGpt2Transposed}},
};

}  // namespace

std::span<const FileArchitecture> file_architectures() {
  return kArchitectures;
}

const FileArchitecture& file_architecture(const std::string& path, std::string_view key,
                                          const std::string& model_type) {
  std::string known;
  for (const FileArchitecture& architecture : kArchitectures) {
    if (architecture.model_type == model_type) return architecture;
    known += fmt::format("{}{}", known.empty() ? "" : " or ", architecture.model_type);
  }
  fail("{}: {}: expected {}, found {}", quoted(path), key, known, quoted(model_type));
}

const FileArchitecture& architecture_of_config(const std::string& path, const nlohmann::json& config) {
  constexpr const char* kKey = "model_type";
  return file_architecture(path, kKey, config.at(kKey).get_ref<const std::string&>());
}

}  // namespace gptj
