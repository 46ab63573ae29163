#include "hub/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>

namespace gptj::test {
namespace {

[[noreturn]] void fail_system(const char* what) {
  throw std::system_error(errno, std::system_category(), what);
}

bool send_all(int connection, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

/// Of "GET /path HTTP/1.1", and lines "Name: value".
HttpAsk parse(const std::string& head) {
  HttpAsk ask;
  const size_t first = head.find(' '), second = head.find(' ', first + 1);
  ask.method = head.substr(0, first);
  ask.path = head.substr(first + 1, second - first - 1);
  for (size_t begin = head.find("\r\n") + 2; begin < head.size();) {
    const size_t end = std::min(head.find("\r\n", begin), head.size());
    const std::string line = head.substr(begin, end - begin);
    const size_t colon = line.find(": ");
    if (colon != line.npos) ask.headers[lower(line.substr(0, colon))] = line.substr(colon + 2);
    begin = end + 2;
  }
  return ask;
}

}  // namespace

HttpServer::HttpServer(Handler handler) : handler_(std::move(handler)) {
  listening_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  constexpr int kWaiting = 64;
  if (listening_ < 0 || ::bind(listening_, any, size) != 0 || ::listen(listening_, kWaiting) != 0 ||
      ::getsockname(listening_, any, &size) != 0) {
    fail_system("cannot listen on 127.0.0.1");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

HttpServer::~HttpServer() {
  ends_ = true;
  ::shutdown(listening_, SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int connection : connections_) ::shutdown(connection, SHUT_RDWR);
  }
  for (std::thread& thread : threads_) thread.join();
  for (const int connection : connections_) ::close(connection);
  ::close(listening_);
}

void HttpServer::accept_all() {
  for (;;) {
    const int connection = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) return;
    const std::lock_guard lock(mutex_);
    connections_.push_back(connection);
    threads_.emplace_back([this, connection] { serve(connection); });
  }
}

void HttpServer::serve(int connection) {
  std::string arrived;
  for (;;) {
    const size_t end = arrived.find("\r\n\r\n");
    if (end != arrived.npos) {
      const HttpAsk ask = parse(arrived.substr(0, end));
      arrived.erase(0, end + 4);
      if (!answer(connection, ask)) break;
      continue;
    }
    char piece[4096];
    const ssize_t got = ::recv(connection, piece, sizeof piece, 0);
    if (got <= 0) break;
    arrived.append(piece, static_cast<size_t>(got));
  }
  ::shutdown(connection, SHUT_RDWR);  // closed by the destructor: its number must not be used again before
}

bool HttpServer::answer(int connection, const HttpAsk& ask) {
  HttpAnswer answer;
  {
    const std::lock_guard lock(mutex_);
    answer = handler_(ask);
  }
  std::string head = "HTTP/1.1 " + std::to_string(answer.status) + " Some reason\r\n";
  if (!answer.headers.contains("Content-Length")) {
    answer.headers["Content-Length"] = std::to_string(answer.claimed_length.value_or(answer.body.size()));
  }
  for (const auto& [name, value] : answer.headers) head += name + ": " + value + "\r\n";
  if (!send_all(connection, head + "\r\n")) return false;
  if (ask.method == "HEAD") return true;
  const uint64_t sent = std::min({answer.drop_after, answer.stall_after, uint64_t{answer.body.size()}});
  if (!send_all(connection, std::string_view(answer.body).substr(0, sent))) return false;
  if (answer.stall_after <= sent) stall();
  return sent == answer.body.size() && answer.claimed_length.value_or(sent) == sent;
}

void HttpServer::stall() const {
  while (!ends_) std::this_thread::sleep_for(std::chrono::milliseconds(20));
}

}  // namespace gptj::test
