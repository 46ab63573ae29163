#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gptj/sampler.h"
#include "gptj/tokenizer.h"
#include "text/vocab.h"

namespace gptj::test {

/// Options from numbers: sampling({{"top-k", 5}}).
inline SamplerOptions sampling(std::initializer_list<std::pair<std::string_view, double>> settings,
                               uint64_t seed = 0) {
  SamplerOptions options;
  options.seed = seed;
  for (const auto& [name, value] : settings) options.set(name, value);
  return options;
}

/// The 256 bytes and then `more`.
inline Tokenizer byte_tokenizer(const std::vector<std::string>& more = {}) {
  Vocab vocab;
  vocab.source = "a test";
  for (int byte = 0; byte < 256; ++byte) vocab.tokens.emplace_back(1, static_cast<char>(byte));
  vocab.tokens.insert(vocab.tokens.end(), more.begin(), more.end());
  return Tokenizer(std::move(vocab));
}

}  // namespace gptj::test
