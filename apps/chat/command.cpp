#include <fmt/ranges.h>

#include <limits>
#include <optional>
#include <utility>

#include "chat/chat.h"
#include "chat/input.h"
#include "chat/slash_commands.h"
#include "cli/command_line.h"
#include "gptj/error.h"
#include "options/common.h"
#include "options/grammar.h"
#include "options/loading.h"
#include "options/session.h"
#include "options/speculation.h"
#include "program.h"
#include "terminal/console.h"

namespace gptj::apps {
namespace {

constexpr int kMaxInt = std::numeric_limits<int>::max();

struct Options {
  ModelOption model;
  std::string preset = "plain";
  TextOptions system;
  ChatSettings settings;
  GrammarOption grammar;
  Speculation speculation;
  SessionOption saved;
  SessionOptions session;
  MemoryOptions memory;
  LogOptions log;
  bool interactive = false;  // said again
};

void declare(CommandLine& line, Options& o, const Program& program) {
  o.model.declare(line, program);
  o.model.declare_type(line);
  line.group("Conversation");
  const std::vector<std::string> presets = preset_names(program);
  line.value({.names = "--preset",
              .value = "PRESET",
              .help = fmt::format("how the model was trained to read one: {}, or a file [default: {}]",
                                  fmt::join(presets, ", "), o.preset),
              .problem = [](const std::string&) { return ""; },
              .set = [&o](const std::string& name) { o.preset = name; },
              .choices = presets});
  line.text("-p,--prompt,--system", o.system.prompt, "TEXT",
            "what it begins with; a plain text is continued, unless a reverse prompt ends it");
  line.text("-f,--file", o.system.file, "FILE", "a file with that");
  line.texts("-r,--reverse-prompt,--stop", o.settings.stop, "TEXT",
             "it is your turn where the model writes this; may be repeated");
  line.number("-n,--n_predict,--n-predict", o.settings.n_predict, -1, kMaxInt,
              "tokens of an answer at most (-1: until the model ends it)");
  line.number("--max-time", o.settings.max_seconds, 0.0, kMaxSeconds,
              "seconds to take for an answer at most (0: no limit)");
  line.flag("-i,--interactive", o.interactive, "the same as the command 'chat'");
  o.grammar.declare(line);
  o.settings.sampling.declare(line);
  o.speculation.declare(line);
  o.saved.declare(line,
                  "keep evaluated tokens in this file: what it has of a conversation is not read again (the "
                  "conversation itself: /save and /load)");
  declare_session(line, o.session);
  declare_prefix_lm(line, o.session);
  declare_context(line, o.session);
  o.memory.declare(line);
  o.log.declare(line);
}

void check(const CommandLine& line, const Options& options) {
  line.at_most_one({"--prompt", "--file"});
  options.grammar.check(line);
  options.speculation.check(line);
  options.saved.check(line);
}

Conversation first_conversation(const Program& program, const Options& options) {
  Conversation conversation = {.preset = find_preset(program, options.preset)};
  if (!options.system.prompt && !options.system.file) return conversation;
  conversation.system = options.system.read(options.log.log());
  // The newline that ends a text file is seldom meant to be part of it.
  if (options.system.file && conversation.system->ends_with('\n')) conversation.system->pop_back();
  return conversation;
}

/// False: it is over.
bool answer(Chat& chat, const Program& program, const Message& message) {
  if (!message.in_quotes && message.text.starts_with('/'))
    return run_chat_command(chat, program, message.text);
  if (message.text.empty()) {
    chat.go_on();
  } else {
    chat.say(message.text);
  }
  return true;
}

void converse(Chat& chat, const Program& program, const Log& log) {
  const Style style = error_style();
  const auto completions = [&program](const std::string& line) {
    return complete_chat_command(program, line);
  };
  ChatInput input(open_lines(completions, log));
  chat.begin();
  while (!stop_asked()) {
    const std::optional<Message> message = input.read(chat.prompt());
    if (!message) return;
    try {
      if (!answer(chat, program, *message)) return;
    } catch (const Error& e) {
      if (!input_is_terminal()) throw;  // nobody is there to see it and do something else
      put_error(fmt::format("{}{}{}\n", style.error, e.what(), style.end));
    }
  }
}

int chat(const Program& program, Options& options) {
  const Log log = options.log.log();
  check_out();
  options.settings.sampling.settle_seed();
  options.settings.grammar = options.grammar.read();
  options.saved.open();
  Conversation conversation = first_conversation(program, options);
  OpenedModel opened = options.model.open(program, log);
  if (options.session.prefix_lm) {  // read in one pass, however long it is
    options.session.n_batch = options.session.n_ctx == 0 ? opened.info().n_ctx : options.session.n_ctx;
  }
  options.speculation.open(opened);
  session_memory(opened.info(), options.session);  // these two tell what is wrong with them
  Sampler(options.settings.sampling.sampler, opened.tokenizer(), opened.info().n_vocab);
  log.line("main: seed = {}", options.settings.sampling.sampler.seed);
  const Model model = load_model(std::move(opened), options.session, options.memory, log);
  Session session(model, options.session);
  options.speculation.load(model, options.session, options.settings.sampling.sampler, options.memory, log);
  options.saved.load(session, {}, log);
  if (session.n_past() > 0) log.line("main: session = {} tokens were there", session.n_past());
  log.line("main: instruction set = {}, threads = {}\n", instruction_set(), session.n_threads());
  if (input_is_terminal())
    log.line("chat: preset {}; /help shows what can be done\n", conversation.preset.name);

  keep_interrupts();
  Chat chat(model, session, options.settings, options.speculation.drafter(), log);
  chat.replace(std::move(conversation));
  converse(chat, program, log);
  options.saved.save(session, log);
  return 0;
}

}  // namespace

bool asks_for_chat(const Program& program, const std::vector<std::string>& args) {
  CommandLine line(program, commands().front());
  Options options;
  declare(line, options, program);
  return line.mentioned("-i", args);
}

int chat_command(const Program& program, const Command& command, std::vector<std::string> args) {
  CommandLine line(program, command);
  Options options;
  declare(line, options, program);
  if (!line.parse(std::move(args))) return 0;
  check(line, options);
  return chat(program, options);
}

}  // namespace gptj::apps
