// The programs gpt-j and gpt-2: the same, but for the model that they open when none is named.

#include <algorithm>
#include <filesystem>
#include <new>

#include "cli/command_line.h"
#include "program.h"
#include "terminal/console.h"

namespace {

using namespace gptj::apps;

/// The directory of the running program.
std::filesystem::path program_directory(const char* called_as) {
  std::error_code missing;
  std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", missing);
  if (missing) self = std::filesystem::absolute(called_as);  // not Linux: right unless found through PATH
  return self.parent_path();
}

Program this_program(const char* called_as) {
  return {.name = GPTJ_PROGRAM,
          .version = GPTJ_VERSION,
          .default_model = GPTJ_DEFAULT_MODEL,
          .demo_model = "models/demo/" GPTJ_PROGRAM,
          .data_roots = {"", program_directory(called_as) / GPTJ_INSTALLED_DATA, GPTJ_SOURCE_DIR}};
}

int run(const Program& program, std::vector<std::string> args) {
  const auto nameless = commands().begin();
  const auto named = [&](std::string_view name) {
    return std::find_if(nameless + 1, commands().end(), [&](const Command& c) { return c.name == name; });
  };
  auto command = args.empty() ? commands().end() : named(args[0]);
  if (command != commands().end()) {
    args.erase(args.begin());
  } else {
    command = asks_for_chat(program, args) ? named("chat") : nameless;
  }
  return command->run(program, *command, std::move(args));
}

}  // namespace

int main(int argc, char** argv) {
  constexpr int kFailed = 1, kUsage = 2, kSignalled = 128;
  int code = kFailed;
  std::string error;
  try {
    set_up_console();
    code = run(this_program(argv[0]), {argv + std::min(argc, 1), argv + argc});
  } catch (const UsageError& e) {
    code = kUsage;
    error = e.what();
  } catch (const std::bad_alloc&) {
    error = "not enough memory";
  } catch (const std::exception& e) {
    error = e.what();
  }
  if (stop_signal() != 0) return kSignalled + stop_signal();  // the error then only says so
  if (!error.empty()) put_error(GPTJ_PROGRAM ": " + error + "\n");
  return code;
}
