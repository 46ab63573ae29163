#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "gptj/hub.h"
#include "hub/http_server.h"

namespace gptj::test {

/// A hub for tests: the routes that Hugging Face's has, with models in memory. Large files lie on another host, to
/// which it redirects, as there.
class HubServer {
 public:
  HubServer();

  std::string endpoint() const { return "http://127.0.0.1:" + std::to_string(hub_.port()); }
  std::string store() const { return "http://localhost:" + std::to_string(store_.port()); }

  /// Settings that fetch from it into `cache`, with little patience and small pieces.
  HubSettings settings(const std::string& cache) const;

  /// A revision, by a branch's name: its commit's hash is made of the name. (Not while it is asked.)
  void add(const std::string& repository, const std::string& revision, const std::string& file,
           const std::string& content, bool large = false);
  static std::string commit_of(const std::string& revision);

  /// What changes answers before they are sent, from now on: what goes wrong in a test. A request that was given up may
  /// still be answered after the test, so it must not refer to what is gone by then.
  void tamper(std::function<void(const HttpAsk&, HttpAnswer&)> change);

  /// All that it was asked so far, by both hosts; "METHOD path".
  std::vector<HttpAsk> asked;
  size_t times_asked(const std::string& method, const std::string& part_of_path) const;

 private:
  struct File {
    std::string content;
    std::string etag;
    bool large;
  };

  HttpAnswer answer(const HttpAsk& ask, bool at_store);
  HttpAnswer answer_hub(const HttpAsk& ask) const;
  HttpAnswer answer_list(const std::string& repository, const std::string& revision) const;
  HttpAnswer answer_store(const HttpAsk& ask) const;

  std::map<std::string, std::map<std::string, std::map<std::string, File>>> repositories_;  // revision, file
  mutable std::mutex mutex_;
  std::function<void(const HttpAsk&, HttpAnswer&)> tamper_ = {};
  HttpServer hub_, store_;
};

}  // namespace gptj::test
