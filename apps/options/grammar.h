#pragma once

#include <optional>
#include <string>

#include "cli/command_line.h"
#include "gptj/grammar.h"

namespace gptj::apps {

/// --grammar, --grammar-file, --json-schema, --regex
class GrammarOption {
 public:
  void declare(CommandLine& line);
  static void check(const CommandLine& line);

  /// Nothing: any text will do. Throws Error with the option's name if there is a mistake in it.
  std::optional<Grammar> read() const;

 private:
  std::optional<std::string> gbnf_, gbnf_file_, schema_, regex_;
};

}  // namespace gptj::apps
