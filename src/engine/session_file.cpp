#include "gptj/session_file.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/error.h"
#include "base/lock.h"
#include "engine/common_beginning.h"
#include "engine/session_format.h"
#include "engine/session_state.h"
#include "io/checksum.h"
#include "io/file_start.h"
#include "model/kv_packed.h"

namespace gptj {
namespace {

constexpr size_t kSampleBytes = 4096;  // of each weight: one page of a file that is mapped

/// Tells models apart, and the same model in different types: a checksum of the config and of some bytes from the
/// middle of each weight in memory, so it does not depend on the form of the file. (All of 12 GB would take seconds.
/// Training changes every matrix everywhere, and so does another type; a change of one row of the vocabulary can
/// escape.)
uint32_t fingerprint(const SessionState& state) {
  const Config& c = state.config;
  uint32_t all =
      crc32_of(fmt::format("{} {} {} {} {} {} {} {} {} {} {} {}", c.model_type, c.n_vocab, c.n_ctx, c.n_embd,
                           c.n_head, c.n_layer, c.n_inner, c.n_rot, activation_name(c.activation),
                           c.layer_norm_eps, c.scale_attn_weights, c.scale_attn_by_inverse_layer_idx));
  for (const std::span<const uint8_t> weight : state.weights) {
    const size_t n = std::min(weight.size(), kSampleBytes);
    const size_t begin = (weight.size() - n) / 2 / kSampleBytes * kSampleBytes;
    all = crc32_of({reinterpret_cast<const char*>(weight.data()) + begin, n}, all);
    all = crc32_of(std::to_string(weight.size()), all);
  }
  return all;
}

/// The head that a file of this session would have.
SessionHead head_of(const SessionState& state, std::span<const int> tokens, std::span<const int> pending) {
  const SessionOptions& options = state.options;
  SessionHead head{{.magic = {},
                    .byte_order = kByteOrder,
                    .version = kSessionVersion,
                    .model = fingerprint(state),
                    .kv_type = static_cast<uint32_t>(options.kv_type),
                    .exact = options.exact,
                    .prefix_lm = options.prefix_lm,
                    .n_tokens = static_cast<uint32_t>(tokens.size()),
                    .n_pending = static_cast<uint32_t>(pending.size()),
                    .checksum = 0},
                   {tokens.begin(), tokens.end()}};
  kSessionMagic.copy(head.start.magic, sizeof head.start.magic);
  head.ids.insert(head.ids.end(), pending.begin(), pending.end());
  head.start.checksum = session_checksum(head);
  return head;
}

/// Throws Error if the session would not have computed what the file holds.
void check_same(const SessionStart& found, const SessionStart& expected, const std::string& path) {
  const auto name = [](uint32_t type) {
    return type < kNumKvTypes ? std::string(kKvTypeNames[type]) : std::to_string(type);
  };
  if (found.model != expected.model) {
    fail(
        "{}: model: expected {:08x}, found {:08x}: made with another model, or with this one in another type",
        quoted(path), expected.model, found.model);
  }
  if (found.kv_type != expected.kv_type) {
    fail("{}: type of keys and values: expected {}, found {}", quoted(path), name(expected.kv_type),
         name(found.kv_type));
  }
  if (found.exact != expected.exact) {
    fail("{}: exact arithmetic: expected {}, found {}", quoted(path), expected.exact, found.exact);
  }
  if (found.prefix_lm != expected.prefix_lm) {
    fail("{}: prompts that are read both ways: expected {}, found {}", quoted(path), expected.prefix_lm,
         found.prefix_lm);
  }
}

/// Bytes of the keys and values of so many tokens, with checksums.
uint64_t kv_bytes(const SessionState& state, uint64_t n_tokens) {
  const uint64_t n_panels = (n_tokens + kPanelRows - 1) / kPanelRows;
  return n_tokens * packed_kv_bytes(state.config, state.options.kv_type) + n_panels * sizeof(uint32_t);
}

/// Calls each(PackedKv, offset in the file) for tokens [0, n) of a file that has `n_saved`.
template <typename Each>
void each_panel(const SessionState& state, int n, int n_saved, uint64_t offset, const Each& each) {
  for (int begin = 0; begin < n; begin += kPanelRows) {
    const PackedKv panel{state.kv, state.config, state.options.kv_type,
                         0,        begin,        std::min(kPanelRows, n_saved - begin)};
    each(panel, offset + kv_bytes(state, static_cast<uint64_t>(begin)));
  }
}

/// A buffer for the largest panel of n tokens and its checksum: 7 MB for a whole panel, less for few tokens.
std::vector<uint8_t> panel_buffer(const SessionState& state, int n) {
  return std::vector<uint8_t>(kv_bytes(state, static_cast<uint64_t>(std::min(n, kPanelRows))));
}

size_t packed_bytes(const PackedKv& panel) {
  return static_cast<size_t>(panel.n) * packed_kv_bytes(panel.config, panel.type);
}

uint32_t checksum_of(const uint8_t* bytes, size_t n) {
  return crc32_of({reinterpret_cast<const char*>(bytes), n});
}

void read_panels(const SessionState& state, const InputFile& file, const SessionHead& head, int n) {
  std::vector<uint8_t> buffer = panel_buffer(state, static_cast<int>(head.start.n_tokens));
  const auto read = [&](const PackedKv& panel, uint64_t offset) {
    const size_t bytes = packed_bytes(panel);
    uint32_t checksum = 0;
    file.read_at(offset, buffer.data(), bytes + sizeof checksum);
    std::memcpy(&checksum, buffer.data() + bytes, sizeof checksum);
    if (const uint32_t found = checksum_of(buffer.data(), bytes); found != checksum) {
      fail("{}: checksum of tokens from {} on: expected {:08x}, found {:08x}: the file is damaged",
           quoted(file.path()), panel.begin, checksum, found);
    }
    panel.unpack(buffer.data());
  };
  each_panel(state, n, static_cast<int>(head.start.n_tokens), head.bytes(), read);
}

/// Checks everything that can be checked before keys and values are read.
void check(const SessionState& state, const InputFile& file, const SessionHead& head) {
  check_same(head.start, head_of(state, {}, {}).start, file.path());
  if (head.start.n_tokens > static_cast<uint32_t>(state.config.n_ctx)) {
    fail("{}: tokens: expected at most {}, the model's context, found {}", quoted(file.path()),
         state.config.n_ctx, head.start.n_tokens);
  }
  const uint64_t expected = head.bytes() + kv_bytes(state, head.start.n_tokens);
  if (file.size() != expected) {
    fail("{}: expected {} bytes for {} tokens, found {}: truncated or damaged", quoted(file.path()), expected,
         head.start.n_tokens, file.size());
  }
  const auto unknown = std::find_if(head.ids.begin(), head.ids.end(),
                                    [&](int id) { return id < 0 || id >= state.config.n_vocab; });
  if (unknown != head.ids.end()) {
    fail("{}: token id: expected 0 to {}, found {}", quoted(file.path()), state.config.n_vocab - 1, *unknown);
  }
}

}  // namespace

void save_session(const Session& session, const std::string& path, std::span<const int> pending) {
  const SessionState state = session.state();
  const SessionHead head = head_of(state, state.kv.tokens(0), pending);
  const int n = state.kv.n_past(0);
  check_may_replace(path);
  check_room(path, head.bytes() + kv_bytes(state, static_cast<uint64_t>(n)));
  OutputFile file(path);
  file.write(&head.start, sizeof head.start);
  file.write(head.ids.data(), head.ids.size() * sizeof(int32_t));
  std::vector<uint8_t> buffer = panel_buffer(state, n);
  each_panel(state, n, n, head.bytes(), [&](const PackedKv& panel, uint64_t) {
    const size_t bytes = packed_bytes(panel);
    panel.pack(buffer.data());
    const uint32_t checksum = checksum_of(buffer.data(), bytes);
    std::memcpy(buffer.data() + bytes, &checksum, sizeof checksum);
    file.write(buffer.data(), bytes + sizeof checksum);
  });
  file.commit();
}

SessionTokens read_session_tokens(const std::string& path) {
  SessionHead head = read_session_head(InputFile(path));
  return {std::move(head.ids), static_cast<int>(head.start.n_pending)};
}

int load_session(Session& session, const std::string& path, std::optional<std::span<const int>> text) {
  session.truncate(0);
  const SessionState state = session.state();
  const InputFile file(path);
  const SessionHead head = read_session_head(file);
  check(state, file, head);
  std::span<const int> held = std::span(head.ids).first(head.start.n_tokens);
  held = held.first(std::min(held.size(), static_cast<size_t>(session.n_ctx())));
  if (text) held = held.first(common_beginning(held, *text));
  const auto n = static_cast<int>(held.size());
  state.kv.own(0, 0, n);
  try {
    read_panels(state, file, head, n);
  } catch (...) {
    state.kv.truncate(0, 0);  // gives the pages back
    throw;
  }
  state.kv.append(0, held);
  return n;
}

struct SessionLock::Impl {
  explicit Impl(const std::string& path)
      : lock_path(path + ".lock"), lock(lock_path, [&] { refuse(path); }) {}
  ~Impl() {
    std::error_code ignored;
    std::filesystem::remove(lock_path, ignored);  // before the lock is released: whoever waits looks again
  }

  [[noreturn]] static void refuse(const std::string& path) {
    fail("{}: in use: another program goes on with this session; wait for its end, or take another file",
         quoted(path));
  }

  std::string lock_path;
  FileLock lock;
};

SessionLock::SessionLock(const std::string& path) {
  check_may_replace(path);  // before the long work whose result could not be saved
  impl_ = std::make_unique<Impl>(path);
}
SessionLock::SessionLock(SessionLock&&) noexcept = default;
SessionLock& SessionLock::operator=(SessionLock&&) noexcept = default;
SessionLock::~SessionLock() = default;

}  // namespace gptj
