#include "text/byte_alphabet.h"

#include <array>
#include <cstdint>

#include "text/unicode.h"

namespace gptj {

namespace {

constexpr int kAlphabetEnd = 0x144;  // after the last of the 256 characters
constexpr int16_t kNoByte = -1;

constexpr bool stands_for_itself(int byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
}

constexpr auto kBytes = [] {
  std::array<int16_t, kAlphabetEnd> bytes{};
  bytes.fill(kNoByte);
  size_t next = 0x100;
  for (int byte = 0; byte < 256; ++byte) {
    bytes[stands_for_itself(byte) ? static_cast<size_t>(byte) : next++] = static_cast<int16_t>(byte);
  }
  return bytes;
}();

constexpr auto kCharacters = [] {
  std::array<int16_t, 256> characters{};
  for (int16_t c = 0; c < kAlphabetEnd; ++c) {
    const int16_t byte = kBytes[static_cast<size_t>(c)];
    if (byte != kNoByte) characters[static_cast<size_t>(byte)] = c;
  }
  return characters;
}();

constexpr auto kInOrder = [] {
  std::array<unsigned char, 256> bytes{};
  size_t n = 0;
  for (const int16_t byte : kBytes) {
    if (byte != kNoByte) bytes[n++] = static_cast<unsigned char>(byte);
  }
  return bytes;
}();

}  // namespace

const std::array<unsigned char, 256>& bytes_in_alphabet() {
  return kInOrder;
}

std::optional<std::string> bytes_from_alphabet(std::string_view written) {
  std::string bytes;
  for (size_t at = 0; at < written.size();) {
    const Char c = char_at(written, at);
    if (c.code_point < 0 || c.code_point >= kAlphabetEnd) return std::nullopt;
    const int16_t byte = kBytes[static_cast<size_t>(c.code_point)];
    if (byte == kNoByte) return std::nullopt;
    bytes += static_cast<char>(byte);
    at += c.size;
  }
  return bytes;
}

std::string alphabet_from_bytes(std::string_view bytes) {
  std::string written;
  for (const char c : bytes) {
    const int16_t character = kCharacters[static_cast<unsigned char>(c)];
    if (character < 0x80) {
      written += static_cast<char>(character);
    } else {
      written += static_cast<char>(0xc0 | character >> 6);
      written += static_cast<char>(0x80 | (character & 0x3f));
    }
  }
  return written;
}

std::string token_bytes(std::string_view written) {
  return bytes_from_alphabet(written).value_or(std::string(written));
}

}  // namespace gptj
