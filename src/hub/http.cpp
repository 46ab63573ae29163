#include "hub/http.h"

#include <curl/curl.h>

#include <algorithm>
#include <memory>

#include "base/error.h"

namespace gptj {
namespace {

constexpr long kConnectSeconds = 20;
constexpr long kMaxRedirects = 8;
constexpr int kUnreachable[] = {CURLE_COULDNT_RESOLVE_HOST,     CURLE_COULDNT_RESOLVE_PROXY,
                                CURLE_COULDNT_CONNECT,          CURLE_SSL_CONNECT_ERROR,
                                CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE};
constexpr int kWaitMs = 100;  // it may take so long until a request to stop is noticed

void initialize() {
  static const CURLcode done = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (done != CURLE_OK) fail("cannot set up libcurl: {}", curl_easy_strerror(done));
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t first = std::min(text.find_first_not_of(kSpace), text.size());
  text.remove_prefix(first);
  return text.substr(0, text.find_last_not_of(kSpace) + 1);
}

template <typename T>
T info_of(CURL* curl, CURLINFO which) {
  T value{};
  curl_easy_getinfo(curl, which, &value);
  return value;
}

std::string text_or_empty(const char* text) {
  return text == nullptr ? "" : text;
}

}  // namespace

std::string origin_of(const std::string& url) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), curl_url_cleanup);
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) return "";
  std::string origin;
  for (const CURLUPart part : {CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT}) {
    char* text = nullptr;
    if (curl_url_get(parsed.get(), part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return "";
    origin += (origin.empty() ? "" : " ") + lower(text);
    curl_free(text);
  }
  return origin;
}

HttpExchange::HttpExchange(const HttpRequest& request, std::function<void(std::string_view)> on_body)
    : curl_(nullptr), on_body_(std::move(on_body)) {
  initialize();
  curl_ = curl_easy_init();
  if (curl_ == nullptr) fail("cannot set up libcurl: not enough memory");
  const auto set = [&](CURLoption option, auto value) { curl_easy_setopt(curl_, option, value); };
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_REDIR_PROTOCOLS_STR, request.url.starts_with("https:") ? "https" : "http,https");
  set(CURLOPT_USERAGENT, "gpt-j");
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_NOBODY, request.head ? 1L : 0L);
  set(CURLOPT_FOLLOWLOCATION, request.follow ? 1L : 0L);
  set(CURLOPT_MAXREDIRS, kMaxRedirects);
  set(CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  set(CURLOPT_LOW_SPEED_LIMIT, 1L);
  set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(request.stall_seconds));
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  if (!request.range.empty()) set(CURLOPT_RANGE, request.range.c_str());
  headers_ = curl_slist_append(headers_, "Accept-Encoding: identity");  // sizes and ranges of the file itself
  if (!request.token.empty()) {
    // libcurl leaves this header out where a redirect leads to another scheme, host or port.
    headers_ = curl_slist_append(headers_, ("Authorization: Bearer " + request.token).c_str());
  }
  set(CURLOPT_HTTPHEADER, headers_);
  set(CURLOPT_HEADERFUNCTION, &HttpExchange::take_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(CURLOPT_WRITEFUNCTION, &HttpExchange::take_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));
  set(CURLOPT_PRIVATE, static_cast<void*>(this));
}

HttpExchange::~HttpExchange() {
  if (client_ != nullptr) curl_multi_remove_handle(client_, curl_);
  curl_easy_cleanup(curl_);
  curl_slist_free_all(headers_);
}

size_t HttpExchange::take_header(char* bytes, size_t size, size_t n, void* self) {
  auto& answer = static_cast<HttpExchange*>(self)->answer_;
  const std::string_view line = trimmed({bytes, size * n});
  const size_t colon = line.find(':');
  if (line.starts_with("HTTP/")) {
    answer.clear();  // a new answer, after a redirect that was followed
  } else if (colon != line.npos) {
    answer[lower(line.substr(0, colon))] = trimmed(line.substr(colon + 1));
  }
  return size * n;
}

size_t HttpExchange::take_body(char* bytes, size_t size, size_t n, void* self) {
  auto& exchange = *static_cast<HttpExchange*>(self);
  try {  // no exception may pass through C
    exchange.on_body_({bytes, size * n});
    return size * n;
  } catch (...) {
    exchange.thrown_ = std::current_exception();
    return CURL_WRITEFUNC_ERROR;
  }
}

void HttpExchange::end(int code) {
  curl_multi_remove_handle(client_, curl_);
  client_ = nullptr;
  if (thrown_) std::rethrow_exception(thrown_);
  if (code == CURLE_OK) return;
  failure_ = curl_easy_strerror(static_cast<CURLcode>(code));
  unreachable_ = std::find(std::begin(kUnreachable), std::end(kUnreachable), code) != std::end(kUnreachable);
}

long HttpExchange::status() const {
  return info_of<long>(curl_, CURLINFO_RESPONSE_CODE);
}

std::string HttpExchange::header(const std::string& name) const {
  const auto found = answer_.find(name);
  return found == answer_.end() ? "" : found->second;
}

std::string HttpExchange::redirect() const {
  return text_or_empty(info_of<const char*>(curl_, CURLINFO_REDIRECT_URL));
}

std::string HttpExchange::url() const {
  return text_or_empty(info_of<const char*>(curl_, CURLINFO_EFFECTIVE_URL));
}

int64_t HttpExchange::retry_after() const {
  return info_of<curl_off_t>(curl_, CURLINFO_RETRY_AFTER);
}

HttpClient::HttpClient() : multi_(nullptr) {
  initialize();
  multi_ = curl_multi_init();
  if (multi_ == nullptr) fail("cannot set up libcurl: not enough memory");
  // Ranges of a file need connections of their own: a shared one would be no faster than a single range.
  curl_multi_setopt(multi_, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
}

HttpClient::~HttpClient() {
  curl_multi_cleanup(multi_);
}

void HttpClient::start(HttpExchange& exchange) {
  curl_multi_add_handle(multi_, exchange.curl_);
  exchange.client_ = multi_;
}

HttpExchange* HttpClient::next_finished() {
  int running = 0, left = 0;
  curl_multi_perform(multi_, &running);
  const CURLMsg* message = curl_multi_info_read(multi_, &left);
  if (message == nullptr) {
    curl_multi_poll(multi_, nullptr, 0, kWaitMs, nullptr);
    return nullptr;
  }
  const CURLcode code = message->data.result;
  auto* exchange = static_cast<HttpExchange*>(info_of<void*>(message->easy_handle, CURLINFO_PRIVATE));
  exchange->end(code);
  return exchange;
}

}  // namespace gptj
