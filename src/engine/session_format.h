#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

/// How a session file begins (docs/session.md).
namespace gptj {

inline constexpr std::string_view kSessionMagic("\x93gpts\r\n\x1a", 8);
inline constexpr uint32_t kSessionVersion = 1;

/// The file's first bytes. They are followed by the ids of n_tokens + n_pending tokens, 4 bytes each; then, for 16
/// tokens at a time, by a PackedKv and the CRC-32 of its bytes.
struct SessionStart {
  char magic[8];
  uint32_t byte_order;
  uint32_t version;
  uint32_t model;    // fingerprint
  uint32_t kv_type;  // KvType
  uint32_t exact;    // 0 or 1, as in SessionOptions
  uint32_t prefix_lm;
  uint32_t n_tokens;   // with keys and values
  uint32_t n_pending;  // after these, without
  uint32_t checksum;   // of the fields before and of the ids
};
static_assert(sizeof(SessionStart) == 44);

/// Everything in front of the keys and values.
struct SessionHead {
  SessionStart start;
  std::vector<int32_t> ids;

  uint64_t bytes() const { return sizeof start + ids.size() * sizeof(int32_t); }
};

/// The checksum that `head` should have.
uint32_t session_checksum(const SessionHead& head);

/// Throws Error if there is a file of that name that is no session: a mistyped path must not cost a model. Session
/// files may be replaced, also damaged ones.
void check_may_replace(const std::string& path);

/// Throws Error for a file that is no session, of another version, or damaged.
SessionHead read_session_head(const InputFile& file);

}  // namespace gptj
