#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "gptj/hub.h"

namespace gptj {

/// One model's part of the cache, as huggingface_hub lays it out:
///
///   models--ORG--NAME/refs/main                        the commit that a branch or tag stands for
///   models--ORG--NAME/snapshots/COMMIT/config.json     a link to ../../blobs/ETAG
///   models--ORG--NAME/blobs/ETAG                       the content; ETAG.incomplete until it is all there
///   .locks/models--ORG--NAME/ETAG.lock                 held by whoever fetches it
class RepositoryCache {
 public:
  RepositoryCache(const HubSettings& hub, std::string_view repository);

  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path locks() const { return locks_; }
  std::filesystem::path snapshot(std::string_view commit) const { return folder_ / "snapshots" / commit; }
  std::filesystem::path blob(std::string_view etag) const { return folder_ / "blobs" / etag; }
  std::filesystem::path incomplete(std::string_view etag) const;
  std::filesystem::path lock(std::string_view etag) const;

  /// The commit that a revision stands for (a commit stands for itself); empty if the cache does not know it.
  std::string commit_of(std::string_view revision) const;
  /// Remembers what commit_of() returns, unless the revision is the commit.
  void write_ref(std::string_view revision, std::string_view commit) const;

  /// Makes a file of a snapshot a link to a blob.
  void link(std::string_view commit, std::string_view file, std::string_view etag) const;

  /// The commits that have a snapshot, and the refs that stand for a commit, in alphabetical order.
  std::vector<std::string> commits() const;
  std::vector<std::string> refs_of(std::string_view commit) const;

  /// Whether a file of a snapshot is a link to something outside of the cache.
  bool leads_outside(const std::filesystem::path& file) const;

 private:
  std::filesystem::path cache_;
  std::filesystem::path folder_;
  std::filesystem::path locks_;
};

/// The models that have a folder in the cache, in alphabetical order.
std::vector<std::string> cached_repositories(const HubSettings& hub);

/// The files in a directory and below it, relative to it, in alphabetical order; links count as files. Throws Error
/// if they cannot be listed; a directory that is not there has none.
std::vector<std::string> files_below(const std::filesystem::path& directory);

/// Makes a directory and those above it. Throws Error if that fails.
void make_directories(const std::filesystem::path& directory);

}  // namespace gptj
