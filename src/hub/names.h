#pragma once

#include <optional>
#include <string>
#include <string_view>

/// Checks of names that become part of a path or a URL: they come from users, from the hub and from the cache's files.
namespace gptj {

/// "ORG/NAME" or "NAME".
bool is_repository_name(std::string_view name);

/// A branch, a tag or a commit; may have slashes ("refs/pr/1").
bool is_revision(std::string_view revision);

/// A commit's hash, as directories of snapshots are called.
bool is_commit(std::string_view commit);

/// The path of a repository's file, which stays below the directory that it is put in.
bool is_file_name(std::string_view name);

/// An ETag that can be a blob's file name.
bool is_etag(std::string_view etag);

/// "ORG/NAME@REVISION".
struct ModelName {
  std::string repository;
  std::string revision;  // empty: none given
};

std::optional<ModelName> parse_model_name(std::string_view name);

// These throw Error unless it is one.
void check_repository_name(std::string_view name);
void check_revision(std::string_view revision);

}  // namespace gptj
