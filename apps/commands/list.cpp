#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/quoted.h"
#include "cli/command_line.h"
#include "gptj/hub.h"
#include "options/common.h"
#include "program.h"
#include "terminal/console.h"
#include "terminal/rate.h"

namespace gptj::apps {
namespace {

std::string as_json(const std::vector<CachedModel>& models) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const CachedModel& model : models) {
    list.push_back({{"name", model.name},
                    {"refs", model.refs},
                    {"commit", model.commit},
                    {"form", model.form},
                    {"bytes", model.bytes},
                    {"path", model.path}});
  }
  constexpr int kIndent = 2;
  const auto replace = nlohmann::json::error_handler_t::replace;  // file names need not be UTF-8
  return list.dump(kIndent, ' ', false, replace) + "\n";
}

/// Each once, though it may have several revisions.
std::string as_names(const std::vector<CachedModel>& models) {
  std::set<std::string> names;
  for (const CachedModel& model : models) names.insert(model.name);
  return names.empty() ? "" : fmt::format("{}\n", fmt::join(names, "\n"));
}

/// What -m would want behind '@': a branch or tag, else the commit.
std::string revision_of(const CachedModel& model) {
  return model.refs.empty() ? model.commit : fmt::format("{}", fmt::join(model.refs, ", "));
}

std::string as_table(const std::vector<CachedModel>& models) {
  size_t name_width = 4, revision_width = 8;
  for (const CachedModel& model : models) {
    name_width = std::max(name_width, model.name.size());
    revision_width = std::max(revision_width, escaped(revision_of(model)).size());
  }
  const auto row = [&](std::string_view name, std::string_view revision, std::string_view size,
                       std::string_view form) {
    return fmt::format("{:<{}}  {:<{}}  {:>9}  {}\n", name, name_width, revision, revision_width, size, form);
  };
  std::string out = row("name", "revision", "size", "form");
  for (const CachedModel& model : models) {
    out += row(model.name, escaped(revision_of(model)), bytes_text(model.bytes),
               model.form.empty() ? "no weights" : model.form);
  }
  return out;
}

}  // namespace

int list_command(const Program& program, const Command& command, std::vector<std::string> args) {
  CommandLine line(program, command);
  LogOptions log;
  bool json = false, names = false;
  line.group("Output");
  line.flag("--json", json, "print a JSON array of objects");
  line.flag("--names", names, "print the names alone, one on each line");
  log.declare_quiet(line);
  if (!line.parse(std::move(args))) return 0;
  line.at_most_one({"--json", "--names"});

  const HubSettings hub = hub_settings();
  const std::vector<CachedModel> models = cached_models(hub);
  if (json) {
    write_out(as_json(models));
  } else if (names) {
    write_out(as_names(models));
  } else if (models.empty()) {
    log.log().line("list: no models in '{}'; 'gpt-j pull NAME' fetches one", escaped(hub.cache));
  } else {
    write_out(as_table(models));
  }
  return 0;
}

}  // namespace gptj::apps
