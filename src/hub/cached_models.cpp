#include <fmt/ranges.h>

#include <filesystem>
#include <set>

#include "base/error.h"
#include "gptj/hub.h"
#include "hub/cache.h"
#include "hub/names.h"
#include "hub/weights.h"

namespace gptj {
namespace {

namespace fs = std::filesystem;

/// The blob of its own repository to which a link of a snapshot leads, and which may itself be a link; empty if it
/// leads elsewhere.
fs::path blob_of(const RepositoryCache& cache, const fs::path& link) {
  std::error_code no_link;
  const fs::path to = fs::read_symlink(link, no_link);
  if (no_link) return {};
  const fs::path blob = (link.parent_path() / to).lexically_normal();
  return blob.parent_path() == (cache.folder() / "blobs").lexically_normal() ? blob : fs::path();
}

std::set<fs::path> blobs_of(const RepositoryCache& cache, const std::string& commit) {
  std::set<fs::path> blobs;
  for (const std::string& file : files_below(cache.snapshot(commit))) {
    const fs::path blob = blob_of(cache, cache.snapshot(commit) / file);
    if (!blob.empty()) blobs.insert(blob);
  }
  return blobs;
}

/// The bytes of a file itself: a link has none.
uint64_t own_bytes(const fs::path& file) {
  std::error_code ignored;
  return fs::is_regular_file(fs::symlink_status(file, ignored)) ? fs::file_size(file, ignored) : 0;
}

CachedModel describe(const RepositoryCache& cache, const std::string& name, const std::string& commit) {
  CachedModel model;
  model.name = name;
  model.commit = commit;
  model.refs = cache.refs_of(commit);
  model.path = cache.snapshot(commit);
  const std::vector<std::string> files = files_below(model.path);
  model.form = weights_among(files).form;
  for (const std::string& file : files) {
    std::error_code missing;
    const uint64_t bytes = fs::file_size(fs::path(model.path) / file, missing);
    if (!missing) model.bytes += bytes;
  }
  return model;
}

/// The commit of a revision in the cache; without a revision that of main, else the only one. Throws Error if there
/// is none.
std::string find_commit(const RepositoryCache& cache, const ModelName& name) {
  const std::string commit = cache.commit_of(name.revision.empty() ? "main" : name.revision);
  std::error_code ignored;
  if (!commit.empty() && fs::is_directory(cache.snapshot(commit), ignored)) return commit;
  const std::vector<std::string> commits = cache.commits();
  if (name.revision.empty() && commits.size() == 1) return commits[0];
  std::vector<std::string> known;
  for (const std::string& other : commits) {
    const std::vector<std::string> refs = cache.refs_of(other);
    known.push_back(refs.empty() ? other : refs[0]);
  }
  fail("'{}': the cache {} has revision {}, not '{}'; choose one with '{}@REVISION', or fetch it",
       name.repository, quoted(cache.folder().native()),
       known.empty() ? "none" : escaped(fmt::format("{}", fmt::join(known, ", "))),
       name.revision.empty() ? "main" : name.revision, name.repository);
}

uint64_t remove_tree(const fs::path& path) {
  uint64_t bytes = own_bytes(path);
  std::error_code error;
  if (fs::is_directory(fs::symlink_status(path, error))) {
    for (const std::string& file : files_below(path)) bytes += own_bytes(path / file);
  }
  fs::remove_all(path, error);  // removes links, and does not follow them
  if (error) fail("cannot remove {}: {}", quoted(path.native()), error.message());
  return bytes;
}

uint64_t remove_revision(const RepositoryCache& cache, const std::string& commit) {
  std::set<fs::path> unneeded = blobs_of(cache, commit);
  for (const std::string& other : cache.commits()) {
    if (other == commit) continue;
    for (const fs::path& needed : blobs_of(cache, other)) unneeded.erase(needed);
  }
  uint64_t bytes = remove_tree(cache.snapshot(commit));
  for (const std::string& ref : cache.refs_of(commit)) bytes += remove_tree(cache.folder() / "refs" / ref);
  bytes += remove_tree(cache.folder() / "trees" / (commit + ".json"));  // huggingface_hub's list of its files
  for (const fs::path& blob : unneeded) bytes += remove_tree(blob);
  return bytes;
}

bool is_cached(const RepositoryCache& cache) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(cache.folder(), ignored));
}

}  // namespace

std::vector<CachedModel> cached_models(const HubSettings& hub) {
  std::vector<CachedModel> models;
  for (const std::string& name : cached_repositories(hub)) {
    const RepositoryCache cache(hub, name);
    for (const std::string& commit : cache.commits()) models.push_back(describe(cache, name, commit));
  }
  return models;
}

std::optional<std::string> find_cached_model(std::string_view text, const HubSettings& hub) {
  const std::optional<ModelName> name = parse_model_name(text);
  if (!name) return std::nullopt;
  const RepositoryCache cache(hub, name->repository);
  if (!is_cached(cache)) return std::nullopt;
  const fs::path snapshot = cache.snapshot(find_commit(cache, *name));
  const std::vector<std::string> files = files_below(snapshot);
  for (const std::string& file : files) {
    if (cache.leads_outside(snapshot / file)) {
      fail("'{}': {}: expected a link to a file of the cache, found one to outside; see '{}'",
           name->repository, quoted(file), escaped(snapshot.native()));
    }
  }
  const RepositoryWeights weights = weights_among(files);
  if (weights.form.empty()) {
    fail("'{}' is in the cache without its weights, in '{}': fetch the rest", name->repository,
         escaped(snapshot.native()));
  }
  if (!weights.others.empty()) {
    fail("'{}': the cache has several models in '{}': name the file itself", name->repository,
         escaped(snapshot.native()));
  }
  return weights.alone ? snapshot / weights.files[0] : snapshot;
}

uint64_t remove_cached_model(const std::string& name, const std::string& revision, const HubSettings& hub) {
  check_repository_name(name);
  const RepositoryCache cache(hub, name);
  if (!is_cached(cache)) fail("'{}' is not in the cache {}", name, quoted(hub.cache));
  if (!revision.empty()) {
    check_revision(revision);
    const std::string commit = find_commit(cache, {name, revision});
    if (cache.commits() != std::vector<std::string>{commit}) return remove_revision(cache, commit);
  }
  const uint64_t bytes = remove_tree(cache.folder());
  remove_tree(cache.locks());
  return bytes;
}

}  // namespace gptj
