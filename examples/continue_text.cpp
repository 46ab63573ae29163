// How a model goes on with a text: continue_text MODEL TEXT

#include <exception>
#include <iostream>

#include "gptj/generate.h"

int main(int argc, char** argv) try {
  if (argc != 3) throw gptj::Error("usage: continue_text MODEL TEXT");
  const gptj::Model model(argv[1]);
  const gptj::Tokenizer& tokenizer = model.tokenizer();
  gptj::SamplerOptions options;
  options.seed = 1;
  options.set("temp", 0.8);
  gptj::Sampler sampler(options, tokenizer, model.info().n_vocab);
  gptj::Session session(model);
  gptj::generate(model, session, sampler, tokenizer.encode(argv[2]), {.n_predict = 40},
                 {.text = [](std::string_view bytes) { return bool(std::cout << bytes << std::flush); }});
  std::cout << '\n';
} catch (const std::exception& error) {
  std::cerr << "continue_text: " << error.what() << '\n';
  return 1;
}
