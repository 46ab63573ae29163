#include "options/model_path.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/quoted.h"
#include "cli/command_line.h"
#include "cli/suggest.h"
#include "gptj/error.h"
#include "gptj/hub.h"

namespace gptj::apps {

std::string model_path(const std::string& named) {
  std::error_code ignored;
  if (!is_model_name(named) || std::filesystem::exists(named, ignored)) return named;
  const HubSettings hub = hub_settings();
  if (const auto cached = find_cached_model(named, hub)) return *cached;
  if (named.find('/') == named.npos) return named;  // most likely a path; opening it tells the reason
  throw Error(
      fmt::format("{}: no such file or directory, nor a model of that name in the cache {}; 'gpt-j pull {}' "
                  "would fetch one{}",
                  quoted(named), quoted(hub.cache), named, similar_cached_model(named)));
}

void split_revision(std::string& name, std::optional<std::string>& revision) {
  const size_t at = name.find('@');
  if (at == std::string::npos) return;
  if (revision) throw UsageError("expected NAME@REVISION or --revision, found both");
  revision = name.substr(at + 1);
  name.resize(at);
}

std::string similar_cached_model(const std::string& name) {
  std::vector<std::string> known;
  for (const CachedModel& model : cached_models(hub_settings())) {
    if (model.name == name) return "";
    known.push_back(model.name);
  }
  return did_you_mean(nearest(name, known));
}

}  // namespace gptj::apps
