#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>

namespace gptj {

/// Legacy ggml files do not say which architecture they are of: what tells, and what else differs there.
struct GgmlLayout {
  std::string_view embedding;      // a tensor that every model of this kind has, and no other
  std::string_view optional_head;  // a tensor that the embedding replaces if it is missing; "": none is
  std::string_view first_layer;
  /// Matrices of a layer that files of before 29 March 2023 hold as [in][out], first one that is not square: it shows
  /// what a file does.
  std::span<const std::string_view> once_transposed;
};

/// What files say of an architecture beside the names of its tensors, which model/ has.
struct FileArchitecture {
  std::string_view model_type;          // in config.json, and general.architecture in GGUF
  std::string_view transformers_class;  // in config.json
  bool rotary;  // has rotary_dim, which is n_rot in ggml's header and rope.dimension_count in GGUF
  GgmlLayout ggml;
};

/// THE list of architectures that ggml, GGUF and transformers have a name for: what is in it can be written in each form,
/// and read from it.
std::span<const FileArchitecture> file_architectures();

/// Throws Error if it is not in the list; `key` of `path` has it.
const FileArchitecture& file_architecture(const std::string& path, std::string_view key,
                                          const std::string& model_type);

/// That of a model that is to be written to `path`.
const FileArchitecture& architecture_of_config(const std::string& path, const nlohmann::json& config);

}  // namespace gptj
