// What constrained text costs beside a token of the model (some 250 ms for GPT-J 6B on two cores): making a matcher, and
// the mask of allowed tokens for each token of a text, over GPT-2's vocabulary with GPT-J's padding.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "gptj/grammar.h"
#include "text/vocab_files.h"

namespace gptj {
namespace {

constexpr int kNVocab = 50400;

const Tokenizer& tokenizer() {
  static const Tokenizer tokenizer(read_vocab_directory(GPTJ_TEST_DATA "/tokenizer/gpt2"));
  return tokenizer;
}

const std::string kSchema =
    R"({"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0,
  "maximum": 150}, "email": {"type": "string", "pattern": "^[a-z0-9.]+@[a-z0-9.]+$"}, "tags": {"type": "array", "items": {"type": "string",
  "maxLength": 20}}, "address": {"type": "object", "properties": {"street": {"type": "string"}, "city": {"enum": ["Berlin", "Paris"]}},
  "required": ["city"]}}, "required": ["name", "age", "address"]})";
const std::string kRecord =
    R"({"name": "Ada Lovelace, the Countess", "age": 36, "email": "ada.lovelace@example.org", "tags": ["mathematics",
 "engines"], "address": {"street": "12 St James's Square, London", "city": "Paris"}})";
const std::string kJson =
    R"({"title": "An example", "items": [{"id": 1, "text": "Some words in a string, and \"some more\""}, {"id": 2.5e3,
 "deeper": [[1, 2, 3], {"a": {"b": {"c": ["d", null, true]}}}]}]})";
const std::string kGbnf = R"x(root ::= (expr "=" ws term "\n")+
expr ::= term ([-+*/] ws term)*
term ::= [a-z] [a-z0-9_]* ws | [0-9]+ ws | "(" ws expr ")" ws
ws ::= [ \t]*
)x";

struct Case {
  const char* name;
  Grammar grammar;
  std::string text;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> cases = {
      {"json", Grammar::json_schema("true"), kJson},
      {"schema", Grammar::json_schema(kSchema), kRecord},
      {"regex", Grammar::regex("([A-Z][a-z]+ ){2,}\\d{4}-\\d{2}-\\d{2}.{0,200}"),
       "The Quick Brown Fox 2024-02-29 jumps over the lazy dog"},
      {"gbnf", Grammar::gbnf(kGbnf), "alpha + (beta * 12 - gamma) / delta = 42\nx = (y)\n"},
  };
  return cases;
}

const GrammarVocabulary& vocabulary() {
  static const GrammarVocabulary vocabulary(tokenizer(), kNVocab);
  return vocabulary;
}

void make_vocabulary(benchmark::State& state) {
  for (auto _ : state) GrammarVocabulary(tokenizer(), kNVocab);
}

void make_matcher(benchmark::State& state, const Case& of) {
  vocabulary();
  for (auto _ : state) GrammarMatcher(of.grammar, vocabulary());
}

/// A text from its beginning, with a new matcher; the slowest token is what a reader would notice.
void masks(benchmark::State& state, const Case& of) {
  using Clock = std::chrono::steady_clock;
  const std::vector<int> ids = tokenizer().encode(of.text);
  double slowest = 0, total = 0;
  for (auto _ : state) {
    state.PauseTiming();
    GrammarMatcher matcher(of.grammar, vocabulary());
    state.ResumeTiming();
    for (const int id : ids) {
      const auto begin = Clock::now();
      benchmark::DoNotOptimize(matcher.allowed().data());
      matcher.accept(id);
      const double ms = std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
      slowest = std::max(slowest, ms);
      total += ms;
    }
  }
  state.counters["ms/token"] =
      total / static_cast<double>(state.iterations()) / static_cast<double>(ids.size());
  state.counters["slowest_ms"] = slowest;
}

const bool registered = [] {
  benchmark::RegisterBenchmark("make_vocabulary", make_vocabulary)->Unit(benchmark::kMillisecond);
  for (const Case& of : cases()) {
    const std::string name = of.name;
    benchmark::RegisterBenchmark(("make_matcher/" + name).c_str(), make_matcher, of)
        ->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark(("masks/" + name).c_str(), masks, of)->Unit(benchmark::kMillisecond);
  }
  return true;
}();

}  // namespace
}  // namespace gptj
