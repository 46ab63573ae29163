#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gptj::apps {

/// What tells gpt-j from gpt-2, and where the running one lies.
struct Program {
  std::string name;                     // "gpt-j"
  std::string version;                  // "1.2.3"
  std::string default_model;            // opened without -m if it is there: relative to the current directory
  std::string demo_model;               // else this one: relative to one of data_roots
  std::vector<std::string> data_roots;  // where models/ and presets/ may be that come with the program
};

struct DeclaredOption;

/// What the first argument may ask for. run() returns the exit code.
struct Command {
  std::string_view name;  // empty: what is done without such a word
  std::string_view summary;
  int (*run)(const Program& program, const Command& command, std::vector<std::string> args);
  /// Set only by declared_options(): run() is to fill it and do nothing else.
  std::vector<DeclaredOption>* declared = nullptr;
};

/// THE list of commands; the first is that without a word.
const std::vector<Command>& commands();

/// Whether these arguments, which name no command, ask for chat_command() all the same: by -i, as in ggml's examples.
bool asks_for_chat(const Program& program, const std::vector<std::string>& args);

int generate_command(const Program&, const Command&, std::vector<std::string> args);
int chat_command(const Program&, const Command&, std::vector<std::string> args);
int tokenize_command(const Program&, const Command&, std::vector<std::string> args);
int logits_command(const Program&, const Command&, std::vector<std::string> args);
int perplexity_command(const Program&, const Command&, std::vector<std::string> args);
int score_command(const Program&, const Command&, std::vector<std::string> args);
int embed_command(const Program&, const Command&, std::vector<std::string> args);
int convert_command(const Program&, const Command&, std::vector<std::string> args);
int quantize_command(const Program&, const Command&, std::vector<std::string> args);
int imatrix_command(const Program&, const Command&, std::vector<std::string> args);
int inspect_command(const Program&, const Command&, std::vector<std::string> args);
int verify_command(const Program&, const Command&, std::vector<std::string> args);
int pull_command(const Program&, const Command&, std::vector<std::string> args);
int list_command(const Program&, const Command&, std::vector<std::string> args);
int remove_command(const Program&, const Command&, std::vector<std::string> args);
int bench_command(const Program&, const Command&, std::vector<std::string> args);
int completion_command(const Program&, const Command&, std::vector<std::string> args);
int man_command(const Program&, const Command&, std::vector<std::string> args);

}  // namespace gptj::apps
