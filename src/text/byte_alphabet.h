#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace gptj {

/// Hugging Face's files write each byte of a token as one printable character: its own in Latin-1 if that is
/// printable, else the next unused one from U+0100 on. Returns the bytes of a token written like this, or nothing if
/// a character stands for no byte. Source: bytes_to_unicode() in GPT-2's encoder.py.
std::optional<std::string> bytes_from_alphabet(std::string_view written);

/// The inverse, for any bytes.
std::string alphabet_from_bytes(std::string_view bytes);

/// The bytes in the order of their characters, which is that of their ids, 0 to 255, in GPT-2's vocabulary.
const std::array<unsigned char, 256>& bytes_in_alphabet();

/// As bytes_from_alphabet(), but a token that is not written in the alphabet is taken as it is: no merge can make it.
std::string token_bytes(std::string_view written);

}  // namespace gptj
