#pragma once

#include <optional>
#include <string>
#include <string_view>

/// What may be part of a path or a URL: names come from users, from the hub's answers and from the cache's files.
namespace gptj {

/// "ORG/NAME" or "NAME".
bool is_repository_name(std::string_view name);

/// A branch, a tag or a commit; may have slashes ("refs/pr/1").
bool is_revision(std::string_view revision);

/// A commit's hash, as directories of snapshots are called.
bool is_commit(std::string_view commit);

/// A path of a repository's file that stays below the directory it is put in.
bool is_file_name(std::string_view name);

/// An ETag that can be a blob's file name.
bool is_etag(std::string_view etag);

/// "ORG/NAME@REVISION".
struct ModelName {
  std::string repository;
  std::string revision;  // empty: none given
};

std::optional<ModelName> parse_model_name(std::string_view name);

/// Throw Error unless it is one.
void check_repository_name(std::string_view name);
void check_revision(std::string_view revision);

}  // namespace gptj
