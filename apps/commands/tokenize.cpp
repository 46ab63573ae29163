#include "gptj/tokenizer.h"

#include <fmt/ranges.h>

#include "base/quoted.h"
#include "cli/command_line.h"
#include "gptj/model.h"
#include "options/common.h"
#include "options/ids.h"
#include "program.h"
#include "terminal/console.h"

namespace gptj::apps {
namespace {

struct Options {
  ModelOption model;
  TextOptions text;
  std::optional<std::string> decode;
  bool json = false;
  LogOptions log;
};

/// One line for each token: its id, a tab, its bytes.
std::string listed(const Tokenizer& tokenizer, const std::vector<int>& ids) {
  std::string out;
  for (int id : ids) out += fmt::format("{}\t'{}'\n", id, escaped(tokenizer.decode(id)));
  return out;
}

}  // namespace

int tokenize_command(const Program& program, const Command& command, std::vector<std::string> args) {
  CommandLine line(program, command);
  Options options;
  options.model.declare(line, program);
  options.text.declare(line);
  line.text("--decode", options.decode, "IDS", "the other way: write the bytes of tokens (1,2,3 or @FILE)");
  line.group("Output");
  line.flag("--json", options.json, "print one JSON array of ids");
  options.log.declare_quiet(line);
  if (!line.parse(std::move(args))) return 0;
  line.at_most_one({"--decode", "--prompt", "--file"});
  line.at_most_one({"--decode", "--json"});

  const std::string path = options.model.resolve(program, options.log.log());
  if (options.decode) {
    const Tokenizer tokenizer = open_tokenizer(path);
    write_out(tokenizer.decode(read_ids("--decode", *options.decode, tokenizer.n_tokens())));
    return 0;
  }
  const std::string text = options.text.read(options.log.log());
  const Tokenizer tokenizer = open_tokenizer(path);
  const std::vector<int> ids = tokenizer.encode(text);
  write_out(options.json ? fmt::format("[{}]\n", fmt::join(ids, ",")) : listed(tokenizer, ids));
  return 0;
}

}  // namespace gptj::apps
