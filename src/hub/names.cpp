#include "hub/names.h"

#include <algorithm>

#include "base/error.h"
#include "gptj/hub.h"

namespace gptj {
namespace {

constexpr size_t kMaxName = 96;      // the hub's own limit
constexpr size_t kMaxSegment = 255;  // of file systems
constexpr size_t kMaxPath = 1024;

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool only_has(std::string_view text, std::string_view beside_alphanumeric) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return is_alphanumeric(c) || beside_alphanumeric.find(c) != beside_alphanumeric.npos;
  });
}

/// Whether every part between slashes is a name, and none leads to a directory further up.
bool is_relative_path(std::string_view path) {
  if (path.size() > kMaxPath) return false;
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = path.substr(begin, end - begin);
    if (part.empty() || part == "." || part == ".." || part.size() > kMaxSegment) return false;
    begin = end + 1;
  }
  return true;
}

bool is_name_part(std::string_view part) {
  constexpr std::string_view kNotAtTheEnds = "-.";
  return !part.empty() && only_has(part, "-_.") && part.find("--") == part.npos &&
         part.find("..") == part.npos && kNotAtTheEnds.find(part.front()) == kNotAtTheEnds.npos &&
         kNotAtTheEnds.find(part.back()) == kNotAtTheEnds.npos;
}

}  // namespace

bool is_repository_name(std::string_view name) {
  const size_t slash = name.find('/');
  if (name.size() > kMaxName || name.ends_with(".git")) return false;
  return slash == name.npos ? is_name_part(name)
                            : is_name_part(name.substr(0, slash)) && is_name_part(name.substr(slash + 1));
}

bool is_revision(std::string_view revision) {
  return is_relative_path(revision) && only_has(revision, "-_./+=@") && revision.find("..") == revision.npos;
}

bool is_commit(std::string_view commit) {
  return !commit.empty() && commit.size() <= kMaxSegment && only_has(commit, "");
}

bool is_file_name(std::string_view name) {
  const auto forbidden = [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '\\';
  };
  return is_relative_path(name) && std::none_of(name.begin(), name.end(), forbidden);
}

bool is_etag(std::string_view etag) {
  constexpr size_t kWithSuffix = kMaxSegment - std::string_view(".incomplete").size();
  return !etag.empty() && etag.size() <= kWithSuffix && etag.front() != '.' && only_has(etag, "-_.");
}

std::optional<ModelName> parse_model_name(std::string_view name) {
  const size_t at = std::min(name.find('@'), name.size());
  ModelName out{std::string(name.substr(0, at)), std::string(name.substr(std::min(at + 1, name.size())))};
  const bool revision_fits = at == name.size() || is_revision(out.revision);
  if (!is_repository_name(out.repository) || !revision_fits) return std::nullopt;
  return out;
}

bool is_model_name(std::string_view name) {
  return parse_model_name(name).has_value();
}

void check_repository_name(std::string_view name) {
  if (is_repository_name(name)) return;
  fail("{}: expected the name of a model such as 'ORG/NAME' (letters, digits, '-', '_' and '.')",
       quoted(name));
}

void check_revision(std::string_view revision) {
  if (!is_revision(revision)) fail("{}: expected a revision: a branch, a tag or a commit", quoted(revision));
}

}  // namespace gptj
