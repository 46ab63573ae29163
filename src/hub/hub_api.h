#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gptj/hub.h"
#include "hub/http.h"
#include "hub/retries.h"

namespace gptj {

/// The files of a revision of a repository.
struct Listing {
  std::string commit;
  std::vector<std::string> files;
};

/// A file at the hub.
struct HubFile {
  std::string name;
  std::string etag;  // the name of its blob: usually a hash of its content
  uint64_t size = 0;
  std::string url;    // where the bytes are
  std::string token;  // to be sent there; empty for hosts other than the hub
};

/// Requests to a hub. After temporary failures they are tried again; what the hub refuses is an Error with a hint.
class HubApi {
 public:
  /// `check_stop` is called again and again during waits, and may throw. `notice` is told why they are necessary.
  HubApi(const HubSettings& hub, std::function<void()> check_stop,
         std::function<void(const std::string&)> notice);

  Listing list(const std::string& repository, const std::string& revision);
  HubFile find(const std::string& repository, const std::string& commit, const std::string& file);

  const HubSettings& settings() const { return hub_; }
  HttpClient& client() { return client_; }
  Retries retries() const { return {hub_, check_stop_, notice_}; }
  void check_stop() const { check_stop_(); }

 private:
  /// Asks until the answer is not a temporary failure, and returns that, with its body in `body`. A hub that cannot be
  /// reached at first is not waited for: its name may be wrong, or there is no network.
  std::unique_ptr<HttpExchange> ask(const HttpRequest& request, std::string* body);

  const HubSettings& hub_;
  std::function<void()> check_stop_;
  std::function<void(const std::string&)> notice_;
  HttpClient client_;
  bool answered_ = false;  // to any request so far
};

/// Whether a status is a temporary failure: too many requests, or an error of the server's own.
bool is_temporary(long status);

/// "503 from http://...": for messages.
std::string answer_of(const HttpExchange& exchange);

}  // namespace gptj
