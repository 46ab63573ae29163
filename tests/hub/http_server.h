#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace gptj::test {

struct HttpAsk {
  std::string method;
  std::string path;                            // with its query
  std::map<std::string, std::string> headers;  // names in lower case
};

/// An answer, and what goes wrong with it.
struct HttpAnswer {
  int status = 200;
  std::map<std::string, std::string> headers = {};
  std::string body = {};
  std::optional<uint64_t> claimed_length = {};  // in the header, instead of the body's
  uint64_t drop_after = ~uint64_t{0};           // bytes of the body, then the connection is closed
  uint64_t stall_after = ~uint64_t{0};          // bytes of the body, then nothing more comes
};

/// A server of HTTP on 127.0.0.1 that can misbehave, which those of libraries take care not to. A thread for each
/// connection; the handler is called by one at a time.
class HttpServer {
 public:
  using Handler = std::function<HttpAnswer(const HttpAsk&)>;

  explicit HttpServer(Handler handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  int port() const { return port_; }

 private:
  void accept_all();
  void serve(int connection);
  bool answer(int connection, const HttpAsk& ask);  // false: the connection is to be closed
  void stall() const;

  Handler handler_;
  int listening_ = -1;
  int port_ = 0;
  std::atomic<bool> ends_ = false;
  std::mutex mutex_;  // of what follows, and of the handler
  std::vector<int> connections_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace gptj::test
