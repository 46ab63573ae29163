#include "hub/digest.h"

#include <openssl/evp.h>

#include <array>

#include "base/error.h"

namespace gptj {
namespace {

constexpr size_t kSha1Digits = 40, kSha256Digits = 64;

bool is_hexadecimal(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == text.npos;
}

}  // namespace

std::unique_ptr<Digest> Digest::of_etag(std::string_view etag, uint64_t size) {
  if (!is_hexadecimal(etag)) return nullptr;
  if (etag.size() == kSha256Digits) return std::unique_ptr<Digest>(new Digest("SHA256"));
  if (etag.size() != kSha1Digits) return nullptr;
  std::unique_ptr<Digest> digest(new Digest("SHA1"));
  digest->add(fmt::format("blob {}{}", size, '\0'));
  return digest;
}

Digest::Digest(const char* algorithm) : context_(EVP_MD_CTX_new()) {
  if (context_ == nullptr || EVP_DigestInit_ex(context_, EVP_get_digestbyname(algorithm), nullptr) != 1) {
    EVP_MD_CTX_free(context_);
    fail("cannot compute {}: OpenSSL does not offer it", algorithm);
  }
}

Digest::~Digest() {
  EVP_MD_CTX_free(context_);
}

void Digest::add(std::string_view bytes) {
  EVP_DigestUpdate(context_, bytes.data(), bytes.size());
}

std::string Digest::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned size = 0;
  EVP_DigestFinal_ex(context_, bytes.data(), &size);
  std::string out;
  for (unsigned i = 0; i < size; ++i) out += fmt::format("{:02x}", bytes[i]);
  return out;
}

}  // namespace gptj
