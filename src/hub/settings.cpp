#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "gptj/hub.h"

namespace gptj {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDefaultEndpoint = "https://huggingface.co";

/// The value of a variable; empty if it is unset, which means the same.
std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

fs::path home() {
  return environment("HOME");
}

/// Replaces "~" with the home directory, as no shell does in HF_HOME="~/models".
fs::path with_home(const std::string& path) {
  if (path == "~") return home();
  return path.starts_with("~/") ? home() / path.substr(2) : fs::path(path);
}

fs::path path_from(const char* name, const fs::path& otherwise) {
  const std::string value = environment(name);
  return value.empty() ? otherwise : with_home(value);
}

fs::path huggingface_home() {
  return path_from("HF_HOME", path_from("XDG_CACHE_HOME", home() / ".cache") / "huggingface");
}

bool is_true(std::string value) {
  std::transform(value.begin(), value.end(), value.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return value == "1" || value == "ON" || value == "YES" || value == "TRUE";
}

std::string trimmed(const std::string& text) {
  constexpr const char* kSpace = " \t\r\n";
  const size_t first = text.find_first_not_of(kSpace);
  return first == text.npos ? "" : text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::string read_token() {
  constexpr uint64_t kMaxToken = 4096;
  std::string token = trimmed(environment("HF_TOKEN"));
  const fs::path file = path_from("HF_TOKEN_PATH", huggingface_home() / "token");
  std::error_code ignored;
  if (token.empty() && fs::exists(file, ignored)) token = trimmed(read_text_file(file, kMaxToken));
  // It becomes part of a header, where the end of a line would begin another header.
  const auto printable = [](char c) { return c > ' ' && c < 0x7f; };
  if (!std::all_of(token.begin(), token.end(), printable)) {
    fail("the token of HF_TOKEN or {}: expected printable characters without spaces", quoted(file.native()));
  }
  return token;
}

std::string read_endpoint() {
  std::string endpoint = environment("HF_ENDPOINT");
  if (endpoint.empty()) endpoint = kDefaultEndpoint;
  while (endpoint.ends_with('/')) endpoint.pop_back();
  if (!endpoint.starts_with("http://") && !endpoint.starts_with("https://")) {
    fail("HF_ENDPOINT: expected a URL that begins with http:// or https://, found {}", quoted(endpoint));
  }
  return endpoint;
}

}  // namespace

HubSettings hub_settings() {
  HubSettings settings;
  settings.endpoint = read_endpoint();
  settings.token = read_token();
  settings.cache = path_from("HF_HUB_CACHE", path_from("HUGGINGFACE_HUB_CACHE", huggingface_home() / "hub"));
  settings.offline = is_true(environment("HF_HUB_OFFLINE")) || is_true(environment("TRANSFORMERS_OFFLINE"));
  return settings;
}

}  // namespace gptj
