#include "hub/hub_server.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "hub/digest.h"

namespace gptj::test {
namespace {

constexpr const char* kApi = "/api/models/";
constexpr const char* kStore = "/store/";

std::string hash(const std::string& content, bool large) {
  constexpr size_t kSha1Digits = 40, kSha256Digits = 64;
  const auto digest = Digest::of_etag(std::string(large ? kSha256Digits : kSha1Digits, '0'), content.size());
  digest->add(content);
  return digest->finish();
}

HttpAnswer refused(int status, const std::string& code) {
  return {.status = status, .headers = {{"X-Error-Code", code}, {"X-Error-Message", "No\x1b such thing"}}};
}

/// The file, or the range that was asked for.
HttpAnswer content_answer(const HttpAsk& ask, const std::string& content) {
  const auto range = ask.headers.find("range");
  if (range == ask.headers.end()) return {.body = content};
  const std::string bytes = range->second.substr(std::string("bytes=").size());
  const size_t dash = bytes.find('-');
  const size_t first = std::stoull(bytes.substr(0, dash));
  const size_t last = dash + 1 == bytes.size() ? content.size() - 1 : std::stoull(bytes.substr(dash + 1));
  if (first > last || last >= content.size()) return {.status = 416};
  return {.status = 206,
          .headers = {{"Content-Range", "bytes " + std::to_string(first) + "-" + std::to_string(last) + "/" +
                                            std::to_string(content.size())}},
          .body = content.substr(first, last - first + 1)};
}

template <typename Map>
const typename Map::mapped_type* find(const Map& map, const std::string& key) {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : &found->second;
}

}  // namespace

HubServer::HubServer()
    : hub_([this](const HttpAsk& ask) { return answer(ask, false); }),
      store_([this](const HttpAsk& ask) { return answer(ask, true); }) {}

HubSettings HubServer::settings(const std::string& cache) const {
  HubSettings settings;
  settings.endpoint = endpoint();
  settings.cache = cache;
  settings.retry_ms = 1;
  settings.stall_seconds = 1;
  settings.piece_bytes = 1000;
  return settings;
}

std::string HubServer::commit_of(const std::string& revision) {
  return hash(revision, false);
}

void HubServer::add(const std::string& repository, const std::string& revision, const std::string& file,
                    const std::string& content, bool large) {
  repositories_[repository][revision][file] = {content, hash(content, large), large};
}

void HubServer::tamper(std::function<void(const HttpAsk&, HttpAnswer&)> change) {
  const std::lock_guard lock(mutex_);
  tamper_ = std::move(change);
}

size_t HubServer::times_asked(const std::string& method, const std::string& part_of_path) const {
  const std::lock_guard lock(mutex_);
  return static_cast<size_t>(std::count_if(asked.begin(), asked.end(), [&](const HttpAsk& ask) {
    return ask.method == method && ask.path.find(part_of_path) != std::string::npos;
  }));
}

HttpAnswer HubServer::answer(const HttpAsk& ask, bool at_store) {
  HttpAnswer answer = at_store ? answer_store(ask) : answer_hub(ask);
  const std::lock_guard lock(mutex_);
  asked.push_back(ask);
  if (tamper_) tamper_(ask, answer);
  return answer;
}

HttpAnswer HubServer::answer_hub(const HttpAsk& ask) const {
  if (ask.path.starts_with(kApi)) {
    const std::string rest = ask.path.substr(std::string(kApi).size());
    const std::string route = "/revision/";
    const size_t at = rest.find(route);
    return at == rest.npos ? refused(404, "")
                           : answer_list(rest.substr(0, at), rest.substr(at + route.size()));
  }
  const std::string route = "/resolve/";
  const size_t at = ask.path.find(route);
  if (at == std::string::npos) return refused(404, "");
  const std::string rest = ask.path.substr(at + route.size());
  const size_t slash = rest.find('/');
  const auto* repository = find(repositories_, ask.path.substr(1, at - 1));
  if (repository == nullptr) return refused(401, "RepoNotFound");
  for (const auto& [revision, files] : *repository) {
    const std::string commit = commit_of(revision);
    if (rest.substr(0, slash) != commit && rest.substr(0, slash) != revision) continue;
    const File* file = find(files, rest.substr(slash + 1));
    if (file == nullptr) return refused(404, "EntryNotFound");
    if (!file->large) {
      HttpAnswer answer = content_answer(ask, file->content);
      answer.headers.insert({{"ETag", "\"" + file->etag + "\""}, {"X-Repo-Commit", commit}});
      return answer;
    }
    return {.status = 302,
            .headers = {{"ETag", "\"of the redirect\""},
                        {"X-Linked-Etag", "\"" + file->etag + "\""},
                        {"X-Linked-Size", std::to_string(file->content.size())},
                        {"X-Repo-Commit", commit},
                        {"Location", store() + kStore + file->etag}}};
  }
  return refused(404, "RevisionNotFound");
}

HttpAnswer HubServer::answer_list(const std::string& repository, const std::string& revision) const {
  const auto* revisions = find(repositories_, repository);
  if (revisions == nullptr) return refused(401, "RepoNotFound");
  for (const auto& [name, files] : *revisions) {
    if (revision != name && revision != commit_of(name)) continue;
    nlohmann::json siblings = nlohmann::json::array();
    for (const auto& [file, content] : files) siblings.push_back({{"rfilename", file}});
    return {.body =
                nlohmann::json{{"id", repository}, {"sha", commit_of(name)}, {"siblings", siblings}}.dump()};
  }
  return refused(404, "RevisionNotFound");
}

HttpAnswer HubServer::answer_store(const HttpAsk& ask) const {
  for (const auto& [repository, revisions] : repositories_) {
    for (const auto& [revision, files] : revisions) {
      for (const auto& [name, file] : files) {
        if (ask.path == kStore + file.etag) return content_answer(ask, file.content);
      }
    }
  }
  return {.status = 404};
}

}  // namespace gptj::test
