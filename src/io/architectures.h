#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>

namespace gptj {

/// Legacy ggml files do not say which architecture they have: what tells it, and what else differs between them.
struct GgmlLayout {
  std::string_view embedding;      // a tensor that all models of this architecture have, and no others
  std::string_view optional_head;  // a tensor that is the embedding if it is missing; "": there is none such
  std::string_view first_layer;    // what the names of its tensors begin with
  /// The ends of the names of a layer's matrices that files from before 29 March 2023 hold as [in][out]. The first of
  /// them is not square, so its shape shows which way a file has them.
  std::span<const std::string_view> once_transposed;
};

/// What files say about an architecture, except for the names of its tensors, which are in model/.
struct FileArchitecture {
  std::string_view model_type;          // in config.json, and general.architecture in GGUF
  std::string_view transformers_class;  // in config.json
  bool rotary;  // it has rotary_dim, which is n_rot in ggml's header and rope.dimension_count in GGUF
  GgmlLayout ggml;
};

/// THE list of architectures that ggml, GGUF and transformers all know: these can be written in each form, and read
/// from it.
std::span<const FileArchitecture> file_architectures();

/// The one of this model_type, which stands under `key` in `path`. Throws Error if it is not in the list.
const FileArchitecture& file_architecture(const std::string& path, std::string_view key,
                                          const std::string& model_type);

/// The one that the config of a model has, which is to be written to `path`. Throws Error if it is not in the list.
const FileArchitecture& architecture_of_config(const std::string& path, const nlohmann::json& config);

}  // namespace gptj
