#pragma once

#include <bit>
#include <string>

namespace gptj {

/// Appends a number as model files store it: as a `Number`, little-endian like the machine.
template <typename Number, typename Value>
void put_number(std::string& to, Value value) {
  static_assert(std::endian::native == std::endian::little, "numbers are written as they lie in memory");
  const auto number = static_cast<Number>(value);
  to.append(reinterpret_cast<const char*>(&number), sizeof number);
}

}  // namespace gptj
