#include "chat/preset.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <sstream>

#include "base/quoted.h"
#include "chat/unquoted.h"
#include "cli/suggest.h"
#include "gptj/error.h"
#include "terminal/text_input.h"

namespace gptj::apps {
namespace {

constexpr std::string_view kEnding = ".preset";

/// Reads one file, line by line.
class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path) {}

  Preset read() {
    std::istringstream text(read_file(path_));
    for (std::string line; std::getline(text, line);) {
      ++line_;
      const std::string_view content = trimmed(line);
      if (!content.empty() && content.front() != '#') setting(content);
    }
    for (const std::string_view needed : {"user", "assistant"}) {
      if (!given(needed)) {
        throw Error(fmt::format("{}: expected a line for '{}', found none", escaped(path_), needed));
      }
    }
    return preset_;
  }

 private:
  void setting(std::string_view line) {
    const size_t equals = line.find('=');
    const auto value = equals == line.npos ? std::nullopt : unquoted(trimmed(line.substr(equals + 1)));
    if (!value) refuse(R"(NAME = "TEXT", with \n, \t, \" and \\ in it)", line);
    const std::string_view name = trimmed(line.substr(0, equals));
    if (name != "stop" && given(name)) refuse("one line for each name", line);
    given_.emplace_back(name);
    if (name == "system") {
      preset_.system = template_of(*value);
    } else if (name == "user") {
      preset_.user = template_of(*value);
    } else if (name == "assistant") {
      preset_.assistant = template_of(*value);
    } else if (name == "system_text") {
      preset_.system_text = *value;
    } else if (name == "stop" && !value->empty()) {
      preset_.stop.push_back(*value);
    } else if (name == "stop") {
      refuse("a text", "");
    } else {
      refuse("'system', 'system_text', 'user', 'assistant' or 'stop'", name);
    }
  }

  Preset::Template template_of(const std::string& value) const {
    constexpr std::string_view kPlace = "{}";
    const size_t at = value.find(kPlace);
    if (at == value.npos || value.find(kPlace, at + 1) != value.npos) {
      refuse("{} once, for the text", value);
    }
    return {value.substr(0, at), value.substr(at + kPlace.size())};
  }

  bool given(std::string_view name) const {
    return std::find(given_.begin(), given_.end(), name) != given_.end();
  }

  [[noreturn]] void refuse(std::string_view expected, std::string_view found) const {
    throw Error(fmt::format("{}:{}: expected {}, found {}", escaped(path_), line_, expected, quoted(found)));
  }

  const std::string path_;
  int line_ = 0;
  std::vector<std::string> given_;
  Preset preset_;
};

std::vector<std::filesystem::path> preset_directories(const Program& program) {
  std::vector<std::filesystem::path> out;
  for (const std::string& root : program.data_roots) out.push_back(std::filesystem::path(root) / "presets");
  return out;
}

}  // namespace

std::string_view Preset::cue() const {
  return std::string_view(assistant.before).substr(0, assistant.before.find_last_not_of(' ') + 1);
}

Preset read_preset(const std::string& path) {
  return Reader(path).read();
}

Preset find_preset(const Program& program, const std::string& name) {
  const auto named = [&name](Preset preset) {
    preset.name = name;
    return preset;
  };
  std::error_code ignored;
  if (name.find('/') == name.npos) {
    for (const std::filesystem::path& directory : preset_directories(program)) {
      const std::filesystem::path path = directory / (name + std::string(kEnding));
      if (std::filesystem::exists(path, ignored)) return named(read_preset(path.lexically_normal().string()));
    }
  }
  if (std::filesystem::exists(name, ignored)) return named(read_preset(name));
  const std::vector<std::string> known = preset_names(program);
  throw Error(fmt::format("preset: expected {} or a file, found {}{}", fmt::join(known, ", "), quoted(name),
                          did_you_mean(mistyped(name, known))));
}

std::vector<std::string> preset_names(const Program& program) {
  std::vector<std::string> names;
  for (const std::filesystem::path& directory : preset_directories(program)) {
    std::error_code missing;
    for (const auto& entry : std::filesystem::directory_iterator(directory, missing)) {
      if (entry.path().extension() == kEnding) names.push_back(entry.path().stem().string());
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace gptj::apps
