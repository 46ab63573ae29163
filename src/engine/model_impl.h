#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gptj/grammar.h"
#include "gptj/model.h"
#include "model/architecture.h"
#include "model/load.h"

namespace gptj {

/// Made when a text first has a grammar: most have none.
struct LazyGrammarVocabulary {
  std::once_flag once;
  std::optional<GrammarVocabulary> made;
};

struct Model::Impl {
  ModelInfo info;
  Tokenizer tokenizer;
  Weights weights;  // what the architecture's views look at
  std::unique_ptr<Architecture> architecture;
  std::map<const uint8_t*, std::string> matrix_names;  // by their data
  std::vector<std::span<const uint8_t>> weight_bytes;  // of each weight, in the architecture's order
  std::unique_ptr<LazyGrammarVocabulary> grammar_vocabulary = std::make_unique<LazyGrammarVocabulary>();
};

}  // namespace gptj
