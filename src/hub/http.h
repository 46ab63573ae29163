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
  int stall_seconds = 30;  // it fails if no byte arrives for so long
};

/// The scheme, host and port of a URL, in lower case; empty if it has none.
std::string origin_of(const std::string& url);

/// A request and its answer, as far as that has arrived.
class HttpExchange {
 public:
  /// `on_body` gets the body piece by piece, after status and headers have arrived. What it throws ends the exchange,
  /// and is rethrown by HttpClient::next_finished().
  HttpExchange(const HttpRequest& request, std::function<void(std::string_view)> on_body);
  ~HttpExchange();
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

  long status() const;
  /// The value of a header, whose name is given in lower case; empty if there is none.
  std::string header(const std::string& name) const;
  /// Where a redirect that was not followed leads; empty for other answers.
  std::string redirect() const;
  /// The URL that was asked, the last one if redirects were followed.
  std::string url() const;
  /// The seconds that the server asks to wait; 0 if it does not.
  int64_t retry_after() const;

  /// Why it ended before the answer was complete; empty if it did not.
  const std::string& failure() const { return failure_; }
  /// It failed because the host is not known, nobody listens there, or it is not to be trusted (or there are no
  /// certificates to tell).
  bool unreachable() const { return unreachable_; }

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
  bool unreachable_ = false;
  std::exception_ptr thrown_;
};

/// Runs exchanges, several at a time, and keeps connections open for the next ones. All happens in the calling thread.
class HttpClient {
 public:
  HttpClient();
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Begins an exchange, which must be destroyed before the client. One that is destroyed early is given up.
  void start(HttpExchange& exchange);

  /// Waits a moment for something to arrive. Returns an exchange that has ended, or null.
  HttpExchange* next_finished();

 private:
  void* multi_;
};

}  // namespace gptj
