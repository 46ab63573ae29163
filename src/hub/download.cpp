#include "hub/download.h"

#include <algorithm>
#include <deque>
#include <memory>

#include "base/error.h"

namespace gptj {
namespace {

/// A piece of the file that is being fetched.
struct Piece {
  uint64_t at;  // where the next byte that arrives belongs
  uint64_t end;
  enum class Answer { none, useful, useless } answer = Answer::none;
  bool done = false;
  std::string waiting = {};  // bytes that arrived before the pieces in front were complete
  std::unique_ptr<HttpExchange> exchange = nullptr;
};

/// How an attempt ended.
struct Outcome {
  std::string failure = {};     // empty: the file is complete
  bool without_ranges = false;  // the server has sent the whole file
  int64_t retry_after = 0;      // seconds to wait, if the server asks for it
};

/// One attempt to fetch the rest of a file. Pieces are requested and written in order, so that what has been written
/// is always the file's beginning; those that arrive too early wait in memory, so only a few are begun.
class Attempt {
 public:
  Attempt(HubApi& api, const HubFile& source, PartialFile& file, bool in_pieces)
      : api_(api), source_(source), file_(file), in_pieces_(in_pieces), next_(file.written()) {}

  /// Until the file is complete or something fails.
  Outcome run(const std::function<void(uint64_t)>& on_bytes) {
    while (file_.written() < file_.size() || !pieces_.empty()) {
      start_pieces();
      if (HttpExchange* ended = api_.client().next_finished()) finish(*ended);
      on_bytes(file_.written());
      if (!outcome_.failure.empty()) break;
    }
    return outcome_;
  }

 private:
  static constexpr size_t kPiecesPerConnection = 2;  // one arrives, one waits for others to be written

  size_t in_flight() const {
    size_t n = 0;
    for (const Piece& piece : pieces_) n += piece.exchange != nullptr;
    return n;
  }

  void start_pieces() {
    const auto connections = in_pieces_ ? static_cast<size_t>(api_.settings().n_connections) : 1;
    while (next_ < file_.size() && in_flight() < connections &&
           pieces_.size() < kPiecesPerConnection * connections) {
      const uint64_t left = file_.size() - next_;
      const uint64_t bytes = in_pieces_ ? std::min(left, api_.settings().piece_bytes) : left;
      Piece& piece = pieces_.emplace_back(Piece{.at = next_, .end = next_ + bytes});
      next_ += bytes;
      const bool whole = piece.at == 0 && piece.end == file_.size();
      piece.exchange = std::make_unique<HttpExchange>(
          HttpRequest{.url = source_.url,
                      .token = source_.token,
                      .range = whole ? "" : fmt::format("{}-{}", piece.at, piece.end - 1),
                      .stall_seconds = api_.settings().stall_seconds},
          [this, &piece](std::string_view bytes_arrived) { take(piece, bytes_arrived); });
      api_.client().start(*piece.exchange);
    }
  }

  /// Looks at the status, and where the bytes begin. Useless answers are explained by finish().
  Piece::Answer look_at_answer(Piece& piece) {
    const HttpExchange& answer = *piece.exchange;
    if (answer.status() == 206) {
      const std::string expected = fmt::format("bytes {}-{}/{}", piece.at, piece.end - 1, file_.size());
      const std::string found = answer.header("content-range");
      if (found == expected) return Piece::Answer::useful;
      fail("{}: Content-Range: expected '{}', found {}", quoted(source_.name), expected, quoted(found));
    }
    if (answer.status() != 200) return Piece::Answer::useless;
    outcome_.without_ranges = piece.at > 0 || piece.end < file_.size();
    if (in_pieces_) {
      outcome_.failure = "the server has no ranges";
      return Piece::Answer::useless;
    }
    piece.at = 0;  // from the beginning, though only the rest was asked for
    return Piece::Answer::useful;
  }

  void take(Piece& piece, std::string_view bytes) {
    if (piece.answer == Piece::Answer::none) piece.answer = look_at_answer(piece);
    if (piece.answer == Piece::Answer::useless) return;
    if (bytes.size() > piece.end - piece.at) {
      fail("{}: expected {} bytes, found more", quoted(source_.name), file_.size());
    }
    piece.at += bytes.size();
    if (&piece == &pieces_.front()) {
      write(piece.at - bytes.size(), bytes);
    } else {
      piece.waiting += bytes;
    }
  }

  /// Writes bytes that belong at `at`, some of which may be there already.
  void write(uint64_t at, std::string_view bytes) {
    const uint64_t there = file_.written() > at ? file_.written() - at : 0;
    if (there < bytes.size()) file_.append(bytes.substr(there));
  }

  void finish(HttpExchange& ended) {
    for (Piece& piece : pieces_) {
      if (piece.exchange.get() != &ended) continue;
      piece.done = piece.at == piece.end;
      if (!piece.done && outcome_.failure.empty()) explain(piece);
      piece.exchange.reset();
      break;
    }
    while (!pieces_.empty() && pieces_.front().done) {
      pieces_.pop_front();
      if (pieces_.empty()) break;
      Piece& front = pieces_.front();
      write(front.at - front.waiting.size(), front.waiting);
      front.waiting = {};
    }
  }

  void explain(const Piece& piece) {
    const HttpExchange& answer = *piece.exchange;
    if (answer.status() != 200 && answer.status() != 206 && answer.status() != 0) {
      outcome_.failure = answer_of(answer);
      outcome_.retry_after = answer.retry_after();
    } else {
      outcome_.failure = fmt::format("{}: broken off at byte {} of {}{}", quoted(source_.name), piece.at,
                                     file_.size(), answer.failure().empty() ? "" : ": " + answer.failure());
    }
  }

  HubApi& api_;
  const HubFile& source_;
  PartialFile& file_;
  bool in_pieces_;
  uint64_t next_;  // where the next piece begins
  std::deque<Piece> pieces_ = {};
  Outcome outcome_ = {};
};

/// Gives up what is still under way when it ends.
Outcome attempt(HubApi& api, const HubFile& source, PartialFile& file, bool in_pieces,
                const std::function<void(uint64_t)>& on_bytes) {
  return Attempt(api, source, file, in_pieces).run(on_bytes);
}

}  // namespace

void download(HubApi& api, const std::function<HubFile()>& find_again, HubFile source, PartialFile& file,
              const std::function<void(uint64_t written)>& on_bytes) {
  constexpr uint64_t kWorthPieces = 2;
  Retries retries = api.retries();
  bool ranges = true, progress = true;
  while (file.written() < file.size()) {
    const uint64_t before = file.written();
    const bool many = file.size() - before > kWorthPieces * api.settings().piece_bytes;
    // If connections break so soon that the first piece never arrives, a single one still gets on.
    const bool in_pieces = ranges && many && progress && api.settings().n_connections > 1;
    const Outcome outcome = attempt(api, source, file, in_pieces, on_bytes);
    if (outcome.failure.empty()) return;
    progress = file.written() > before;
    if (progress) retries.reset();
    if (ranges && outcome.without_ranges) {  // not a failure: the next attempt is one request for everything
      ranges = false;
      continue;
    }
    retries.wait(outcome.failure, outcome.retry_after);
    const HubFile found = find_again();
    if (found.etag != source.etag || found.size != source.size) {
      fail(
          "{}: changed at the hub while it was fetched: expected {} ({} bytes), found {} ({} bytes); begin "
          "again",
          quoted(source.name), source.etag, source.size, found.etag, found.size);
    }
    source = found;
  }
}

}  // namespace gptj
