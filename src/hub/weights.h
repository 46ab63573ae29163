#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gptj {

/// The weights among a repository's files.
struct RepositoryWeights {
  std::string form;                // "safetensors"; empty: there are none
  std::vector<std::string> files;  // those of one model: whole, or its parts with their index
  std::vector<std::string> others =
      {};              // more models of this form: one is to be chosen, `files` has the first
  bool alone = false;  // config and tokenizer are in the file
};

/// The best form that is there, and only that: not the same weights twice.
RepositoryWeights weights_among(const std::vector<std::string>& files);

/// `file` with the others of the same model, if it is one of several parts ("x-00001-of-00003.gguf").
std::vector<std::string> with_all_parts(const std::string& file, const std::vector<std::string>& files);

/// What a model needs besides its weights: config and tokenizer.
bool is_beside_weights(std::string_view file);

}  // namespace gptj
