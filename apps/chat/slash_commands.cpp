#include "chat/slash_commands.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>

#include "base/quoted.h"
#include "chat/file.h"
#include "chat/unquoted.h"
#include "cli/suggest.h"
#include "gptj/error.h"
#include "terminal/console.h"

namespace gptj::apps {
namespace {

struct Context {
  Chat& chat;
  const Program& program;
  const std::string& argument;
};

struct ChatCommand {
  std::string_view name, argument, help;
  void (*run)(const Context& context);  // null: ends the program
};

void say(std::string_view text) {
  write_out(fmt::format("{}\n", text));
}

std::string plural(size_t n, std::string_view what) {
  return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

std::string needed_file(const Context& context) {
  if (context.argument.empty()) throw Error("expected a file's name after the command, found none");
  return context.argument;
}

void help(const Context&) {
  write_out(chat_commands_help());
}

void reset(const Context& context) {
  Conversation empty = context.chat.conversation();
  empty.exchanges.clear();
  context.chat.replace(std::move(empty));
  say("nothing was said");
}

void save(const Context& context) {
  const std::string path = needed_file(context);
  save_conversation(context.chat.conversation(), path);
  say(fmt::format("{} saved in {}", plural(context.chat.conversation().exchanges.size(), "exchange"),
                  quoted(path)));
}

void load(const Context& context) {
  const std::string path = needed_file(context);
  context.chat.replace(load_conversation(context.program, path));
  const Conversation& loaded = context.chat.conversation();
  say(fmt::format("{} loaded, preset {}", plural(loaded.exchanges.size(), "exchange"), loaded.preset.name));
}

void show_settings(const ChatSettings& settings, const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += settings.described(name);
  write_out(out);
}

void set(const Context& context) {
  ChatSettings settings = context.chat.settings();
  if (context.argument.empty()) return show_settings(settings, ChatSettings::names());
  const size_t space = context.argument.find(' ');
  const std::string name = context.argument.substr(0, space);
  if (space != std::string::npos) {
    settings.set(name, trimmed(std::string_view(context.argument).substr(space)));
    context.chat.change(settings);
  }
  write_out(settings.described(name));
}

void show(const Context& context) {
  if (context.argument == "prompt") return say(context.chat.seen_text());
  if (!context.argument.empty())
    throw Error(fmt::format("expected nothing or 'prompt', found {}", quoted(context.argument)));
  const Conversation& conversation = context.chat.conversation();
  say(fmt::format("preset                 {}\nsystem                 {}\nsaid                   {}, {}",
                  conversation.preset.name, quoted(conversation.system_text()),
                  plural(conversation.exchanges.size(), "exchange"),
                  plural(static_cast<size_t>(context.chat.n_seen()), "token")));
  show_settings(context.chat.settings(), context.chat.settings().notable_names());
}

void system(const Context& context) {
  if (!context.argument.empty()) {
    Conversation changed = context.chat.conversation();
    changed.system = context.argument == "\"\"" ? "" : context.argument;
    context.chat.replace(std::move(changed));
  }
  say(fmt::format("system text: {}", quoted(context.chat.conversation().system_text())));
}

void retry(const Context& context) {
  context.chat.retry();
}

void undo(const Context& context) {
  context.chat.undo();
  say(fmt::format("the last exchange is removed; {} left",
                  plural(context.chat.conversation().exchanges.size(), "exchange")));
}

void preset(const Context& context) {
  if (!context.argument.empty()) {
    Conversation changed = context.chat.conversation();
    changed.preset = find_preset(context.program, context.argument);
    context.chat.replace(std::move(changed));
  }
  say(fmt::format("preset {} of {}", context.chat.conversation().preset.name,
                  fmt::join(preset_names(context.program), ", ")));
}

/// THE list of commands.
constexpr ChatCommand kCommands[] = {
    {"help", "", "shows this", help},
    {"reset", "", "begins anew", reset},
    {"save", "FILE", "writes the conversation to a file", save},
    {"load", "FILE", "goes on with a conversation from a file", load},
    {"set", "[NAME [VALUE]]", "changes a setting, or shows it or all", set},
    {"show", "[prompt]", "shows preset, system text and changed settings, or the text that the model reads",
     show},
    {"system", "[TEXT]", "says what the conversation begins with (\"\": nothing)", system},
    {"preset", "[NAME]", "writes the conversation as another model reads it", preset},
    {"retry", "", "lets the model answer anew", retry},
    {"undo", "", "removes the last exchange", undo},
    {"exit", "", "ends the program; so does Ctrl-D", nullptr},
};

const ChatCommand& command_named(const std::string& name) {
  std::vector<std::string> known;
  for (const ChatCommand& command : kCommands) {
    if (command.name == name) return command;
    known.push_back(fmt::format("/{}", command.name));
  }
  throw Error(fmt::format("no command is called {}{} (/help shows all)", quoted("/" + name),
                          did_you_mean(mistyped("/" + name, known))));
}

}  // namespace

bool run_chat_command(Chat& chat, const Program& program, const std::string& line) {
  const size_t space = std::min(line.find_first_of(" \t\n"), line.size());
  const ChatCommand& command = command_named(line.substr(1, space - 1));
  const std::string argument(trimmed(std::string_view(line).substr(space)));
  if (command.run == nullptr) return false;
  if (command.argument.empty() && !argument.empty()) {
    throw Error(fmt::format("/{}: expected nothing after it, found {}", command.name, quoted(argument)));
  }
  command.run({chat, program, argument});
  return true;
}

std::vector<std::string> complete_chat_command(const Program& program, const std::string& line) {
  std::vector<std::string> all, fitting;
  for (const ChatCommand& command : kCommands) all.push_back(fmt::format("/{}", command.name));
  for (const std::string& name : ChatSettings::names()) all.push_back("/set " + name);
  for (const std::string& name : preset_names(program)) all.push_back("/preset " + name);
  all.emplace_back("/show prompt");
  const size_t n_spaces = static_cast<size_t>(std::count(line.begin(), line.end(), ' '));
  for (const std::string& one : all) {
    const bool same_words = static_cast<size_t>(std::count(one.begin(), one.end(), ' ')) == n_spaces;
    if (same_words && one.starts_with(line)) fitting.push_back(one);
  }
  return line.empty() ? std::vector<std::string>() : fitting;
}

std::string chat_commands_help() {
  std::string out;
  for (const ChatCommand& command : kCommands) {
    out += fmt::format("{:<22} {}\n", fmt::format("/{} {}", command.name, command.argument), command.help);
  }
  return out +
         "An empty line lets the model go on. A line that ends in \\ goes on in the next one, and so do all\n"
         "lines between two \"\"\". Ctrl-C stops an answer.\n";
}

}  // namespace gptj::apps
