#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gptj {

/// The weights among a repository's files.
struct RepositoryWeights {
  std::string form;                      // "safetensors"; empty: there are none
  std::vector<std::string> files;        // of the first model: a single file, or its parts and their index
  std::vector<std::string> others = {};  // files of further models in this form: the user must choose one
  bool alone = false;                    // config and tokenizer are in the same file
};

/// The weights in the best form that is there, and only these: not the same weights twice.
RepositoryWeights weights_among(const std::vector<std::string>& files);

/// The forms in which weights are looked for, best first.
std::vector<std::string_view> weight_forms();

/// `file`, or all parts of its model if it is one of several ("x-00001-of-00003.gguf").
std::vector<std::string> with_all_parts(const std::string& file, const std::vector<std::string>& files);

/// Whether a file is what a model needs besides its weights: its config, or a file of its tokenizer.
bool is_beside_weights(std::string_view file);

}  // namespace gptj
