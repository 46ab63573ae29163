#include "program.h"

namespace gptj::apps {

const std::vector<Command>& commands() {
  static const std::vector<Command> list = {
      {"", "Continues a prompt with text from a GPT-J or GPT-2 model.", generate_command},
      {"chat", "Talks with a model, in the form that it was trained on.", chat_command},
      {"tokenize", "Prints the tokens of a text, or the text of tokens.", tokenize_command},
      {"logits", "Writes the logits after every token of a text, or all intermediates, to NumPy files.",
       logits_command},
      {"perplexity", "Measures how well a model predicts a text, and how it differs from another.",
       perplexity_command},
      {"score", "Tells how likely continuations of contexts are: multiple choice, for lm-evaluation-harness.",
       score_command},
      {"embed", "Writes the last hidden states of texts to a NumPy file.", embed_command},
      {"convert", "Writes a model in another form: our own file, ggml, GGUF, a Hugging Face directory.",
       convert_command},
      {"quantize", "Stores a model in fewer bits: short for convert IN OUT --type TYPE.", quantize_command},
      {"imatrix", "Measures on a text which weights matter, for quantize.", imatrix_command},
      {"inspect", "Shows what is in a model file and the memory that it needs.", inspect_command},
      {"verify", "Reads all of a model file and tells what is damaged.", verify_command},
      {"pull", "Fetches a model by its name from a Hugging Face compatible hub.", pull_command},
      {"list", "Lists the models that were fetched.", list_command},
      {"rm", "Removes a model that was fetched.", remove_command},
      {"bench", "Measures speed and memory, beside what the machine could do at most.", bench_command},
      {"completion", "Prints a script that completes commands, options and values in a shell.",
       completion_command},
      {"man", "Prints the manual page of the program or of a command.", man_command},
  };
  return list;
}

}  // namespace gptj::apps
