#pragma once

#include <string>

#include "io/model_file.h"

namespace gptj {

/// Reads a GGUF file of version 2 or 3 with the architecture gptj or gpt2. If it is the first of several, named
/// "NAME-00001-of-00003.gguf", it reads all of them. Throws Error.
ModelFile open_gguf(const std::string& path);

/// Reads only its vocabulary, whatever its architecture; there need not be tensors. Throws Error.
Vocab open_gguf_vocab(const std::string& path);

}  // namespace gptj
