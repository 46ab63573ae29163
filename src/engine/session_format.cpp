#include "engine/session_format.h"

#include <filesystem>

#include "base/error.h"
#include "io/checksum.h"
#include "io/file_start.h"
#include "io/foreign.h"

namespace gptj {
namespace {

SessionStart read_start(const InputFile& file) {
  SessionStart start{};
  if (file.size() < sizeof start) {
    fail("{}: expected a session file of at least {} bytes, found {}: truncated?", quoted(file.path()),
         sizeof start, file.size());
  }
  file.read_at(0, &start, sizeof start);
  if (std::string_view(start.magic, sizeof start.magic) != kSessionMagic) {
    fail("{}: expected a session file, found other first bytes", quoted(file.path()));
  }
  check_file_start(file.path(), start.byte_order, start.version, kSessionVersion);
  return start;
}

}  // namespace

uint32_t session_checksum(const SessionHead& head) {
  const uint32_t start =
      crc32_of({reinterpret_cast<const char*>(&head.start), offsetof(SessionStart, checksum)});
  return crc32_of({reinterpret_cast<const char*>(head.ids.data()), head.ids.size() * sizeof(int32_t)}, start);
}

void check_may_replace(const std::string& path) {
  std::error_code ignored;  // writing will tell the reason
  if (!std::filesystem::exists(path, ignored)) return;
  const std::string start = first_bytes(InputFile(path)).substr(0, kSessionMagic.size());
  if (kSessionMagic.starts_with(start)) return;  // an empty file may become one
  fail("{}: expected a session file or none, found another file, which the session would replace",
       quoted(path));
}

SessionHead read_session_head(const InputFile& file) {
  SessionHead head{read_start(file), {}};
  const uint64_t n_ids = uint64_t{head.start.n_tokens} + head.start.n_pending;
  const uint64_t most = (file.size() - sizeof head.start) / sizeof(int32_t);
  if (n_ids > most) {
    fail("{}: truncated: number of tokens: expected at most {}, for which the file has room, found {}",
         quoted(file.path()), most, n_ids);
  }
  head.ids.resize(n_ids);
  file.read_at(sizeof head.start, head.ids.data(), n_ids * sizeof(int32_t));
  if (const uint32_t found = session_checksum(head); found != head.start.checksum) {
    fail("{}: checksum of the tokens: expected {:08x}, found {:08x}: the file is damaged",
         quoted(file.path()), head.start.checksum, found);
  }
  return head;
}

}  // namespace gptj
