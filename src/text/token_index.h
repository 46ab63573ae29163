#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace gptj {

/// Finds the ids of tokens by their bytes: a flat hash table over tokens that must outlive it. Opening a model looks up
/// 50,000 of them and more, which with std::unordered_map took most of the time. Of equal tokens (padding) the first
/// counts.
class TokenIndex {
 public:
  explicit TokenIndex(const std::vector<std::string>& tokens) : tokens_(tokens) {
    slots_.resize(std::bit_ceil(2 * tokens.size()));
    for (size_t id = 0; id < tokens.size(); ++id) {
      Slot& slot = slots_[find_slot(tokens[id], hash(tokens[id]))];
      if (slot.id == kNone) slot = {hash(tokens[id]), static_cast<int>(id)};
    }
  }

  static constexpr int kNone = -1;

  /// kNone: there is no such token.
  int find(std::string_view token) const { return slots_[find_slot(token, hash(token))].id; }

 private:
  struct Slot {
    uint32_t hash = 0;
    int id = kNone;
  };

  static uint32_t hash(std::string_view token) {
    return static_cast<uint32_t>(std::hash<std::string_view>{}(token));
  }

  /// Where the token is or would be.
  size_t find_slot(std::string_view token, uint32_t hash) const {
    size_t at = hash & (slots_.size() - 1);
    for (; slots_[at].id != kNone; at = (at + 1) & (slots_.size() - 1)) {
      if (slots_[at].hash == hash && tokens_[static_cast<size_t>(slots_[at].id)] == token) break;
    }
    return at;
  }

  const std::vector<std::string>& tokens_;
  std::vector<Slot> slots_;  // a power of two
};

}  // namespace gptj
