#pragma once

#include <string>

#include "io/model_file.h"

namespace gptj {

/// Reads a directory in the form of Hugging Face's model repositories: config.json, weights and the tokenizer's
/// files. Throws Error.
ModelFile open_huggingface_directory(const std::string& directory);

/// The same for a file of weights and what lies beside it. If it is a shard or an index, all shards are read. Throws
/// Error.
ModelFile open_weights_file(const std::string& path);

/// The directory of a file's path: "." for a mere name.
std::string directory_of(const std::string& path);

}  // namespace gptj
