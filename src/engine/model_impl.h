#pragma once

#include <map>
#include <memory>
#include <string>

#include "gptj/model.h"
#include "model/architecture.h"

namespace gptj {

struct Model::Impl {
  ModelInfo info;
  Tokenizer tokenizer;
  Weights weights;  // what the architecture's views look at
  std::unique_ptr<Architecture> architecture;
  std::map<const uint8_t*, std::string> matrix_names;  // by their data
};

}  // namespace gptj
