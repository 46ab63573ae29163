#include "hub/hub_api.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "hub/names.h"
#include "text/json.h"

namespace gptj {
namespace {

/// Escapes a path for a URL, but not its slashes.
std::string escaped_path(std::string_view text) {
  constexpr std::string_view kPlain = "-_.~/";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       kPlain.find(c) != kPlain.npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

/// Escapes a revision, which is one part of a URL's path even if it has slashes.
std::string escaped_part(std::string_view text) {
  std::string out;
  for (const char c : escaped_path(text)) out += c == '/' ? std::string("%2F") : std::string(1, c);
  return out;
}

/// An ETag without the mark of a weak one and without quotes.
std::string plain_etag(std::string etag) {
  if (etag.starts_with("W/")) etag.erase(0, 2);
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') etag = etag.substr(1, etag.size() - 2);
  return etag;
}

[[noreturn]] void fail_refused(const HttpExchange& answer, const std::string& what, const HubSettings& hub,
                               const std::string& repository) {
  const std::string code = answer.header("x-error-code");
  const std::string page = hub.endpoint + "/" + repository;
  const std::string reason = answer_of(answer);
  if (code == "GatedRepo" || (answer.status() == 403 && code.empty())) {
    fail(
        "{}: access is not granted ({}): accept the model's terms at {}, then set HF_TOKEN to a token of "
        "that account",
        what, reason, page);
  }
  if (answer.status() == 401 || answer.status() == 403) {
    fail("{}: {} ({}): the name may be mistyped; a private or gated model needs {}", what,
         hub.token.empty() ? "not found without a token" : "not found for this token", reason,
         hub.token.empty() ? "HF_TOKEN" : "another token in HF_TOKEN");
  }
  if (answer.status() == 404) {
    const char* missing = code == "RevisionNotFound" ? "there is no such revision"
                          : code == "EntryNotFound"  ? "there is no such file"
                                                     : "there is no such model";
    fail("{}: {} ({})", what, missing, reason);
  }
  fail("{}: expected 200, found {}", what, reason);
}

std::string string_of(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

Listing parse_listing(const std::string& body, const std::string& url) {
  const nlohmann::json root = parse_json_object(body, url);
  Listing listing{string_of(root, "sha"), {}};
  if (!is_commit(listing.commit)) {
    fail("{}: sha: expected a commit, found {}", quoted(url), quoted(listing.commit));
  }
  const auto files = root.find("siblings");
  if (files == root.end() || !files->is_array()) fail("{}: siblings: expected an array", quoted(url));
  for (const nlohmann::json& file : *files) {
    const std::string name = file.is_object() ? string_of(file, "rfilename") : "";
    if (!is_file_name(name)) {
      fail("{}: rfilename: expected a path inside of the repository, found {}", quoted(url), quoted(name));
    }
    listing.files.push_back(name);
  }
  return listing;
}

uint64_t parse_size(const std::string& text, const std::string& what) {
  uint64_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  constexpr uint64_t kMax = uint64_t{1} << 50;
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || size > kMax) {
    fail("{}: expected its size from the hub, found {}", what, quoted(text));
  }
  return size;
}

}  // namespace

bool is_temporary(long status) {
  return status == 408 || status == 429 || status >= 500;
}

std::string answer_of(const HttpExchange& exchange) {
  const std::string said = exchange.header("x-error-message");
  return fmt::format("{} from {}{}", exchange.status(), escaped(exchange.url()),
                     said.empty() ? "" : ": " + quoted(said));
}

HubApi::HubApi(const HubSettings& hub, std::function<void()> check_stop,
               std::function<void(const std::string&)> notice)
    : hub_(hub), check_stop_(std::move(check_stop)), notice_(std::move(notice)) {}

std::unique_ptr<HttpExchange> HubApi::ask(const HttpRequest& request, std::string* body) {
  Retries tries = retries();
  for (;;) {
    body->clear();
    auto exchange = std::make_unique<HttpExchange>(request, [&](std::string_view bytes) {
      if (body->size() + bytes.size() > kMaxJsonBytes) {
        fail("{}: expected at most {} bytes, found more", quoted(request.url), kMaxJsonBytes);
      }
      *body += bytes;
    });
    client_.start(*exchange);
    while (client_.next_finished() != exchange.get()) check_stop_();
    if (!exchange->failure().empty()) {
      const std::string what =
          fmt::format("no answer from {}: {}", escaped(request.url), exchange->failure());
      if (exchange->unreachable() && !answered_) {
        fail(
            "{}; is there a network, and are HF_ENDPOINT, the proxy's address and the system's certificates "
            "(ca-certificates) right?",
            what);
      }
      tries.wait(what);
      continue;
    }
    answered_ = true;
    if (is_temporary(exchange->status())) {
      tries.wait(answer_of(*exchange), exchange->retry_after());
    } else {
      return exchange;
    }
  }
}

Listing HubApi::list(const std::string& repository, const std::string& revision) {
  const std::string url =
      fmt::format("{}/api/models/{}/revision/{}", hub_.endpoint, repository, escaped_part(revision));
  std::string body;
  const auto answer = ask({.url = url, .token = hub_.token, .stall_seconds = hub_.stall_seconds}, &body);
  if (answer->status() != 200) {
    fail_refused(*answer, fmt::format("'{}', revision '{}'", repository, revision), hub_, repository);
  }
  return parse_listing(body, url);
}

HubFile HubApi::find(const std::string& repository, const std::string& commit, const std::string& file) {
  constexpr int kMaxHops = 8;
  const std::string what = fmt::format("{} of '{}'", quoted(file), repository);
  const std::string hub = origin_of(hub_.endpoint);
  std::string url = fmt::format("{}/{}/resolve/{}/{}", hub_.endpoint, repository, commit, escaped_path(file));
  std::string nothing;
  for (int hop = 0; hop < kMaxHops; ++hop) {
    const auto answer = ask(
        {.url = url, .head = true, .follow = false, .token = hub_.token, .stall_seconds = hub_.stall_seconds},
        &nothing);
    const std::string redirect = answer->redirect();
    if (!redirect.empty() && origin_of(redirect) == hub) {  // a model that has another name now
      url = redirect;
      continue;
    }
    if (answer->status() != 200 && redirect.empty()) fail_refused(*answer, what, hub_, repository);
    if (url.starts_with("https:") && !redirect.empty() && !redirect.starts_with("https:")) {
      fail("{}: expected a redirect to https, found {}", what, quoted(redirect));
    }
    const std::string found_commit = answer->header("x-repo-commit");
    if (!found_commit.empty() && found_commit != commit) {
      fail("{}: X-Repo-Commit: expected {}, found {}", what, commit, quoted(found_commit));
    }
    const std::string linked_etag = answer->header("x-linked-etag"),
                      linked_size = answer->header("x-linked-size");
    HubFile found;
    found.name = file;
    found.etag = plain_etag(linked_etag.empty() ? answer->header("etag") : linked_etag);
    if (!is_etag(found.etag)) fail("{}: ETag: expected a hash, found {}", what, quoted(found.etag));
    found.size = parse_size(
        linked_size.empty() && redirect.empty() ? answer->header("content-length") : linked_size, what);
    found.url = redirect.empty() ? url : redirect;
    found.token = redirect.empty() ? hub_.token : "";
    return found;
  }
  fail("{}: expected at most {} redirects, found more", what, kMaxHops);
}

}  // namespace gptj
