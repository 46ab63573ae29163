#pragma once

#include <string>

#include "io/model_file.h"

namespace gptj {

/// Reads a directory in the form of Hugging Face's model repositories: config.json, weights and the tokenizer's files.
ModelFile open_huggingface_directory(const std::string& directory);

/// Reads the same, with the weights from this file of the directory, and if that is a shard or an index, from all shards.
ModelFile open_weights_file(const std::string& path);

/// The directory of a file's path: "." for a mere name.
std::string directory_of(const std::string& path);

}  // namespace gptj
