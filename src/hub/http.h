#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "gptj/hub.h"

// libcurl's CURL and CURLM, which curl.h declares as void.
struct curl_slist;

namespace gptj {

struct HttpRequest {
  std::string url;
  bool head = false;
  bool follow = true;      // redirects; another host is never sent the token
  std::string token = {};  // empty: none
  std::string range = {};  // "0-99", "100-"; empty: everything
  int stall_seconds = 30;  // without a byte, then it fails
};

/// The scheme, host and port of a URL: who is talked to. Empty if it has none.
std::string origin_of(const std::string& url);

/// A request and its answer, as far as it has arrived.
class HttpExchange {
 public:
  /// `on_body` gets the body piece by piece, once status and headers are there. What it throws ends the exchange, and is
  /// thrown again by HttpClient::next_finished().
  HttpExchange(const HttpRequest& request, std::function<void(std::string_view)> on_body);
  ~HttpExchange();
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

  long status() const;
  /// The value of a header, whose name is in lower case; empty if there is none.
  std::string header(const std::string& name) const;
  /// What the answer, a redirect that is not followed, leads to; empty for other answers.
  std::string redirect() const;
  /// What was asked, in the end, if redirects were followed.
  std::string url() const;
  /// As the server asks for, in seconds; 0 if it does not.
  int64_t retry_after() const;

  /// Why it ended before the answer was complete; empty if it did not.
  const std::string& failure() const { return failure_; }

 private:
  friend class HttpClient;

  static size_t take_header(char* bytes, size_t size, size_t n, void* self);
  static size_t take_body(char* bytes, size_t size, size_t n, void* self);
  void end(int code);

  void* curl_;
  curl_slist* headers_ = nullptr;
  void* client_ = nullptr;  // the CURLM that it runs in
  std::function<void(std::string_view)> on_body_;
  std::map<std::string, std::string> answer_;
  std::string failure_;
  std::exception_ptr thrown_;
};

/// Runs exchanges, several at a time, and keeps connections for the next ones. In the calling thread only.
class HttpClient {
 public:
  HttpClient();
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Begins it; to end before the client does. One that is destroyed is given up.
  void start(HttpExchange& exchange);

  /// Waits a moment for something to arrive. Returns an exchange that has ended, or null.
  HttpExchange* next_finished();

 private:
  void* multi_;
};

}  // namespace gptj
