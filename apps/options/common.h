#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cli/command_line.h"
#include "gptj/model.h"
#include "gptj/session.h"
#include "terminal/log.h"

/// Groups of options that several commands have: each command declares those that it wants.
namespace gptj::apps {

inline constexpr double kMaxSeconds = 1e9;  // for --max-time

/// -m, --type
struct ModelOption {
  std::optional<std::string> path, type;

  void declare(CommandLine& line, const Program& program);
  /// For commands that load the weights.
  void declare_type(CommandLine& line);
  /// The path given, else that of the default or the demo model; says to `log` which. Throws Error if there is none.
  std::string resolve(const Program& program, const Log& log) const;
  /// Opens it, to be loaded in the type given, with a word to `log` about that. Throws Error.
  OpenedModel open(const Program& program, const Log& log) const;
};

/// -p, -f, standard input
struct TextOptions {
  std::optional<std::string> prompt, file;

  void declare(CommandLine& line);
  /// The text, exactly. Throws Error when it cannot be read.
  std::string read(const Log& log) const;
};

/// -t
void declare_threads(CommandLine& line, SessionOptions& session);

/// -t, -b
void declare_speed(CommandLine& line, SessionOptions& session);

/// -t, -b, --kv-type, --exact: all but the context, which commands explain differently.
void declare_session(CommandLine& line, SessionOptions& session);

/// --prefix-lm
void declare_prefix_lm(CommandLine& line, SessionOptions& session);

/// -c
void declare_context(CommandLine& line, SessionOptions& session,
                     std::string_view help = "context in tokens (0: the model's)");

/// -c, for commands that cut a text into windows of so many tokens.
void declare_window(CommandLine& line, SessionOptions& session);
/// Fills in the default: 512 as llama.cpp, so that figures can be compared, or the model's context where that is less.
void resolve_window(SessionOptions& session, const ModelInfo& model);

/// --prefetch, --lock, --no-mmap: how load_model() brings weights into memory.
struct MemoryOptions {
  bool prefetch = false;
  bool lock = false;
  bool no_mmap = false;

  void declare(CommandLine& line);
};

/// -q, -v
struct LogOptions {
  bool quiet = false;
  bool verbose = false;

  void declare(CommandLine& line);
  void declare_quiet(CommandLine& line);  // for commands that have no more to say
  Log log() const;
};

}  // namespace gptj::apps
