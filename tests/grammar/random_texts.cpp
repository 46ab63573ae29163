// For schemas_test.py. Reads lines {"schema": ..., "texts": [...]}; for each writes {"random": [...], "accepted": [...]}: texts that
// were drawn at random from the schema's grammar, and whether the given ones are in it; or {"error": "..."}.

#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include "gptj/error.h"
#include "grammar/texts.h"

using namespace gptj;
using nlohmann::ordered_json;

namespace {

ordered_json answer(const ordered_json& asked, int n_asked, std::mt19937& random) {
  constexpr int kTexts = 4;
  const Grammar grammar = Grammar::json_schema(asked["schema"].dump());
  ordered_json answer = {{"random", ordered_json::array()}, {"accepted", ordered_json::array()}};
  for (int i = 0; i < kTexts; ++i) {
    const bool large = i == 1 && n_asked % 4 == 0;  // which takes its time
    const Tokenizer& tokenizer = large ? test::gpt2_tokenizer() : test::byte_tokenizer();
    answer["random"].push_back(test::random_text(grammar, tokenizer, random, 1 + 20 * i));
  }
  for (const ordered_json& text : asked["texts"]) {
    answer["accepted"].push_back(test::accepts(grammar, test::byte_tokenizer(), text.get<std::string>()));
  }
  return answer;
}

}  // namespace

int main() {
  std::mt19937 random(1);
  std::string line;
  int n_asked = 0;
  try {
    while (std::getline(std::cin, line)) {
      ordered_json found;
      try {
        found = answer(ordered_json::parse(line), n_asked++, random);
      } catch (const Error& error) {
        found = {{"error", error.what()}};
      }
      std::cout << found.dump() << "\n";
    }
  } catch (const std::exception& error) {
    std::cerr << "random_texts: " << error.what() << "\n";
    return EXIT_FAILURE;
  }
}
