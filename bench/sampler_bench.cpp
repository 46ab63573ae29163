// What drawing a token costs, with the vocabulary of GPT-J. Of a step of the smallest model, GPT-2 117M,
// which takes some 10 ms, it should be less than a hundredth.

#include <benchmark/benchmark.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "gptj/sampler.h"
#include "gptj/tokenizer.h"
#include "text/vocab.h"

namespace gptj {
namespace {

constexpr int kVocab = 50400;
constexpr int kContext = 2048;

struct Case {
  const char* name;
  std::vector<std::pair<const char*, const char*>> settings;
};

const Case kCases[] = {
    {"default", {}},
    {"greedy", {{"temp", "0"}}},
    {"no-truncation", {{"top-k", "0"}, {"top-p", "1"}}},
    {"top-p", {{"top-k", "0"}}},
    {"min-p", {{"top-k", "0"}, {"top-p", "1"}, {"min-p", "0.05"}}},
    {"typical", {{"top-k", "0"}, {"top-p", "1"}, {"typical", "0.9"}}},
    {"top-n-sigma", {{"top-n-sigma", "1"}}},
    {"penalties", {{"repeat-penalty", "1.1"}, {"frequency-penalty", "0.1"}}},
    {"penalties-of-all", {{"repeat-penalty", "1.1"}, {"repeat-last-n", "-1"}}},
    {"dry", {{"dry-multiplier", "0.8"}}},
    {"no-repeat-ngram", {{"no-repeat-ngram", "4"}}},
    {"mirostat-1", {{"mirostat", "1"}}},
    {"mirostat-2", {{"mirostat", "2"}}},
    {"banned-strings",
     {{"banned-string", "abc"}, {"banned-string", "a longer one"}, {"banned-string", "\n\n"}}},
};

/// Two and three letters, as if words.
Tokenizer some_tokenizer() {
  Vocab vocab;
  for (int byte = 0; byte < 256; ++byte) vocab.tokens.emplace_back(1, static_cast<char>(byte));
  const std::string letters = "abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKL";
  for (const char a : letters) {
    for (const char b : letters) {
      for (const char c : letters) vocab.tokens.push_back({a, b, c});
    }
  }
  vocab.tokens.resize(kVocab);
  return Tokenizer(std::move(vocab));
}

/// Distributed like a language model's: most near the mean, a few far above it.
std::vector<float> some_logits() {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 2);
  std::vector<float> logits(kVocab);
  for (float& logit : logits) logit = normal(random);
  for (size_t rank = 1; rank <= 300; ++rank)
    logits[random() % kVocab] = 16 - 1.5f * std::log(static_cast<float>(rank));
  return logits;
}

void draw(benchmark::State& state, const Case& c) {
  const Tokenizer tokenizer = some_tokenizer();
  const std::vector<float> logits = some_logits();
  std::mt19937 random(2);
  std::vector<int> context(kContext);
  for (int& id : context) id = static_cast<int>(random() % 400);  // with repetitions
  SamplerOptions options;
  for (const auto& [name, value] : c.settings) options.set(name, std::string_view(value));
  Sampler sampler(options, tokenizer, kVocab);
  for (auto _ : state) benchmark::DoNotOptimize(sampler.sample(logits, context));
}

const bool registered = [] {
  for (const Case& c : kCases) {
    benchmark::RegisterBenchmark((std::string("sample/") + c.name).c_str(), [&c](benchmark::State& state) {
      draw(state, c);
    })->Unit(benchmark::kMicrosecond);
  }
  return true;
}();

}  // namespace
}  // namespace gptj
