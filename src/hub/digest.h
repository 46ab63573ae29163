#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;  // OpenSSL's EVP_MD_CTX

namespace gptj {

/// The hash of a file that a hub uses as its ETag, computed while bytes arrive: SHA-256 of a large file, or git's
/// hash of a small one (SHA-1 of "blob <size>", a zero byte and the content).
class Digest {
 public:
  /// The kind of hash that `etag` is, judged by its length; null for ETags that are no hash of the content.
  static std::unique_ptr<Digest> of_etag(std::string_view etag, uint64_t size);

  ~Digest();
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;

  void add(std::string_view bytes);
  /// The hash in lower case hexadecimal. No bytes may be added afterwards.
  std::string finish();

 private:
  explicit Digest(const char* algorithm);

  evp_md_ctx_st* context_;
};

}  // namespace gptj
