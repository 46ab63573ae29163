#include "hub/cache.h"

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "hub/names.h"

namespace gptj {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "models--";
constexpr std::string_view kSeparator = "--";

std::string folder_name(std::string_view repository) {
  std::string out(kPrefix);
  for (const char c : repository) out += c == '/' ? std::string(kSeparator) : std::string(1, c);
  return out;
}

/// The repository of a folder; empty if it is not a model's.
std::string repository_name(std::string folder) {
  if (!folder.starts_with(kPrefix)) return "";
  folder.erase(0, kPrefix.size());
  const size_t separator = folder.find(kSeparator);
  if (separator != folder.npos) folder.replace(separator, kSeparator.size(), "/");
  return is_repository_name(folder) ? folder : "";
}

std::string read_ref(const fs::path& path) {
  constexpr uint64_t kMaxRef = 1024;
  std::string commit = read_text_file(path, kMaxRef);
  while (commit.ends_with('\n') || commit.ends_with('\r')) commit.pop_back();
  return commit;
}

std::vector<std::string> names_in(const fs::path& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    names.push_back(entry->path().filename());
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    fail("cannot read {}: {}", quoted(directory.native()), error.message());
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool is_inside(const fs::path& path, const fs::path& directory) {
  std::error_code missing;
  const fs::path real = fs::canonical(directory, missing);
  return !missing && std::mismatch(real.begin(), real.end(), path.begin(), path.end()).first == real.end();
}

}  // namespace

RepositoryCache::RepositoryCache(const HubSettings& hub, std::string_view repository)
    : cache_(hub.cache),
      folder_(cache_ / folder_name(repository)),
      locks_(cache_ / ".locks" / folder_name(repository)) {}

fs::path RepositoryCache::incomplete(std::string_view etag) const {
  return folder_ / "blobs" / fmt::format("{}.incomplete", etag);
}

fs::path RepositoryCache::lock(std::string_view etag) const {
  return locks_ / fmt::format("{}.lock", etag);
}

std::string RepositoryCache::commit_of(std::string_view revision) const {
  std::error_code ignored;
  const fs::path ref = folder_ / "refs" / revision;
  if (!fs::is_regular_file(ref, ignored)) {
    return is_commit(revision) && fs::is_directory(snapshot(revision), ignored) ? std::string(revision) : "";
  }
  std::string commit = read_ref(ref);
  if (!is_commit(commit)) fail("{}: expected a commit, found {}", quoted(ref.native()), quoted(commit));
  return commit;
}

void RepositoryCache::write_ref(std::string_view revision, std::string_view commit) const {
  if (revision == commit) return;
  const fs::path path = folder_ / "refs" / revision;
  make_directories(path.parent_path());
  OutputFile ref(path);
  ref.write(commit.data(), commit.size());
  ref.commit();
}

void RepositoryCache::link(std::string_view commit, std::string_view file, std::string_view etag) const {
  const fs::path path = snapshot(commit) / file;
  make_directories(path.parent_path());
  if (leads_outside(path.parent_path())) {
    fail("{}: expected a directory of the cache, found a link to outside",
         quoted(path.parent_path().native()));
  }
  std::error_code error;
  fs::remove(path, error);  // an old link, whose blob is gone
  fs::create_symlink(blob(etag).lexically_relative(path.parent_path()), path, error);
  if (error) fail("cannot create the link {}: {}", quoted(path.native()), error.message());
}

std::vector<std::string> RepositoryCache::commits() const {
  std::vector<std::string> commits = names_in(folder_ / "snapshots");
  std::erase_if(commits, [&](const std::string& name) {
    std::error_code ignored;
    return !is_commit(name) || !fs::is_directory(snapshot(name), ignored);
  });
  return commits;
}

std::vector<std::string> RepositoryCache::refs_of(std::string_view commit) const {
  std::vector<std::string> refs = files_below(folder_ / "refs");
  std::erase_if(refs, [&](const std::string& ref) { return read_ref(folder_ / "refs" / ref) != commit; });
  return refs;
}

bool RepositoryCache::leads_outside(const fs::path& file) const {
  std::error_code missing;
  const fs::path real = fs::canonical(file, missing);
  if (missing) return false;  // opening it tells the reason
  // The folder and its blobs may themselves be links to another disk, which their owner has made.
  return !is_inside(real, cache_) && !is_inside(real, folder_) && !is_inside(real, folder_ / "blobs");
}

std::vector<std::string> cached_repositories(const HubSettings& hub) {
  std::vector<std::string> repositories;
  for (const std::string& folder : names_in(hub.cache)) {
    std::string repository = repository_name(folder);
    if (!repository.empty()) repositories.push_back(std::move(repository));
  }
  std::sort(repositories.begin(), repositories.end());
  return repositories;
}

std::vector<std::string> files_below(const fs::path& directory) {
  std::vector<std::string> files;
  std::error_code error;
  fs::recursive_directory_iterator entry(directory, error), end;
  for (; !error && entry != end; entry.increment(error)) {
    const bool is_file = entry->is_symlink(error) || !entry->is_directory(error);
    if (is_file) files.push_back(entry->path().lexically_relative(directory));
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    fail("cannot read {}: {}", quoted(directory.native()), error.message());
  }
  std::sort(files.begin(), files.end());
  return files;
}

void make_directories(const fs::path& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) fail("cannot create the directory {}: {}", quoted(directory.native()), error.message());
}

}  // namespace gptj
