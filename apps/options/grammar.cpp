#include "options/grammar.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/quoted.h"
#include "gptj/error.h"
#include "terminal/text_input.h"

namespace gptj::apps {
namespace {

/// The schema itself, or that of the file that it names as "@FILE".
std::string schema_or_file(const std::string& argument) {
  if (argument.starts_with('@')) return read_file(argument.substr(1));
  std::error_code ignored;
  if (std::filesystem::exists(argument, ignored) && !nlohmann::json::accept(argument)) {
    throw Error(
        fmt::format("expected a schema or @FILE, found a file's name: '@{}' is meant", escaped(argument)));
  }
  return argument;
}

template <typename Make>
Grammar named(std::string_view option, const Make& make) {
  try {
    return make();
  } catch (const Error& error) {
    throw Error(fmt::format("{}: {}", option, error.what()));
  }
}

}  // namespace

void GrammarOption::declare(CommandLine& line) {
  line.group("What may be written");
  line.text("--grammar", gbnf_, "GBNF", "only what this grammar derives, in llama.cpp's notation");
  line.text("--grammar-file", gbnf_file_, "FILE", "the same, from a file");
  line.text("--json-schema", schema_, "SCHEMA", "only JSON that is valid by this schema (or @FILE)");
  line.text("--regex", regex_, "PATTERN", "only what this regular expression matches as a whole");
}

void GrammarOption::check(const CommandLine& line) {
  line.at_most_one({"--grammar", "--grammar-file", "--json-schema", "--regex"});
}

std::optional<Grammar> GrammarOption::read() const {
  if (gbnf_) return named("--grammar", [&] { return Grammar::gbnf(*gbnf_); });
  if (gbnf_file_) return named("--grammar-file", [&] { return Grammar::gbnf(read_file(*gbnf_file_)); });
  if (schema_) return named("--json-schema", [&] { return Grammar::json_schema(schema_or_file(*schema_)); });
  if (regex_) return named("--regex", [&] { return Grammar::regex(*regex_); });
  return std::nullopt;
}

}  // namespace gptj::apps
