// Texts that share keys and values: each must be, bit by bit, what it is in a session of its own.

#include <random>

#include "base/failure.h"
#include "engine/tiny_models.h"
#include "tensor/kv_head.h"

namespace gptj {
namespace {

using namespace test;

constexpr int kPage = kKvPage;
constexpr ModelShape kLongShape = {
    .n_vocab = 300, .n_ctx = 3 * kPage, .n_embd = 32, .n_head = 2, .n_layer = 2, .n_rot = 8};

/// How a token of a text was evaluated.
struct Past {
  int id;
  bool decoded;
};

/// A session, and what each sequence of it should be.
class Walk {
 public:
  Walk(const Model& model, const SessionOptions& options)
      : session(model, options), texts(static_cast<size_t>(options.n_sequences)) {}

  Logits prefill(int sequence, int n) {
    const std::vector<int> ids = new_ids(n);
    for (const int id : ids) at(sequence).push_back({id, false});
    const auto logits = session.prefill(ids, {}, sequence);
    return {logits.begin(), logits.end()};
  }

  /// n tokens more for each of them, in one call; the logits after the last of each.
  std::vector<Logits> decode(const std::vector<int>& sequences, int n) {
    std::vector<Session::Token> tokens;
    for (const int sequence : sequences) {
      for (const int id : new_ids(n)) {
        tokens.push_back({id, sequence});
        at(sequence).push_back({id, true});
      }
    }
    std::vector<Logits> last;
    session.decode_each(tokens, [&](int index, std::span<const float> logits) {
      if (index % n == n - 1) last.emplace_back(logits.begin(), logits.end());
    });
    return last;
  }

  void fork(int from, int to) {
    session.fork(from, to);
    at(to) = std::vector<Past>(at(from));
  }

  void truncate(int sequence, int n_past) {
    session.truncate(n_past, sequence);
    at(sequence).resize(static_cast<size_t>(n_past));
  }

  std::vector<Past>& at(int sequence) { return texts[static_cast<size_t>(sequence)]; }
  int room(int sequence) const { return session.n_ctx() - session.n_past(sequence); }

  /// 0 to n - 1, the same everywhere.
  int random(int n) { return static_cast<int>(random_() % static_cast<uint64_t>(n)); }

  Session session;
  std::vector<std::vector<Past>> texts;

 private:
  std::vector<int> new_ids(int n) {
    std::vector<int> ids;
    for (int i = 0; i < n; ++i) ids.push_back(random(kLongShape.n_vocab));
    return ids;
  }

  std::mt19937_64 random_;
};

class Sequences : public testing::Test {
 protected:
  Sequences() : model_(write_tiny(directory_, "gptj", DType::q4_0, kLongShape), {.n_threads = 1}) {}

  static SessionOptions options(int n_sequences, KvType kv_type = KvType::f16) {
    return {.n_threads = 1, .n_batch = 100, .n_sequences = n_sequences, .kv_type = kv_type};
  }

  /// The logits after the last token, in a new session.
  Logits plain(std::span<const Past> text, KvType kv_type = KvType::f16) const {
    Session session(model_, options(1, kv_type));
    Logits last;
    for (size_t begin = 0, end = 0; begin < text.size(); begin = end) {
      std::vector<int> run;
      for (end = begin; end < text.size() && text[end].decoded == text[begin].decoded; ++end) {
        run.push_back(text[end].id);
      }
      if (!text[begin].decoded) {
        const auto logits = session.prefill(run);
        last.assign(logits.begin(), logits.end());
      } else {
        session.decode_each(
            run, [&](int, std::span<const float> logits) { last.assign(logits.begin(), logits.end()); });
      }
    }
    return last;
  }

  /// `found` is what follows the text of a sequence.
  void expect_plain(Walk& walk, int sequence, const Logits& found, KvType kv_type = KvType::f16) const {
    EXPECT_EQ(found, plain(walk.at(sequence), kv_type)) << "sequence " << sequence;
  }

  /// These tokens, for sequences of 19 and 5 that have room for 20, are an error that says so and changes nothing.
  void expect_refused(const std::vector<Session::Token>& tokens,
                      const std::vector<std::string>& words) const {
    SessionOptions all = options(2);
    all.n_ctx = 20;
    Walk walk(model_, all);
    walk.prefill(0, 19);
    walk.prefill(1, 5);
    expect_error([&] { walk.session.decode_each(tokens, [](int, std::span<const float>) { FAIL(); }); },
                 words);
    EXPECT_EQ(walk.session.n_past(0), 19);
    EXPECT_EQ(walk.session.n_past(1), 5);
    expect_plain(walk, 0, walk.decode({1, 0}, 1)[1]);
  }

  TemporaryDirectory directory_;
  Model model_;
};

TEST_F(Sequences, ForkAtTheBordersOfPages) {
  for (const int n : {1, kPage - 1, kPage, kPage + 1, 2 * kPage - 1, 2 * kPage, 2 * kPage + 1}) {
    SCOPED_TRACE(n);
    Walk walk(model_, options(3));
    walk.prefill(0, n);
    walk.fork(0, 1);
    walk.fork(1, 2);
    const std::vector<Logits> last = walk.decode({0, 1, 2}, 3);
    for (int s = 0; s < 3; ++s) {
      expect_plain(walk, s, last[static_cast<size_t>(s)]);
      EXPECT_EQ(walk.session.n_past(s), n + 3);
    }
    EXPECT_NE(last[0], last[1]);
  }
}

TEST_F(Sequences, TruncatingOneLeavesTheOtherAsItIs) {
  for (const int kept : {0, 1, kPage - 1, kPage, kPage + 1, kPage + 40}) {
    SCOPED_TRACE(kept);
    Walk walk(model_, options(2));
    walk.prefill(0, kPage + 50);
    walk.fork(0, 1);
    walk.truncate(0, kept);
    expect_plain(walk, 0, walk.prefill(0, 70));
    expect_plain(walk, 1, walk.decode({1}, 2)[0]);
    walk.fork(1, 0);
    expect_plain(walk, 0, walk.decode({0, 1}, 1)[0]);
  }
}

TEST_F(Sequences, ForkingOntoItselfChangesNothing) {
  Walk walk(model_, options(2));
  walk.prefill(1, 20);
  walk.fork(1, 1);
  EXPECT_EQ(walk.session.n_past(1), 20);
  expect_plain(walk, 1, walk.decode({1}, 1)[0]);
}

TEST_F(Sequences, AnEmptyTextCanBeForked) {
  Walk walk(model_, options(2));
  walk.prefill(1, 20);
  walk.fork(0, 1);
  EXPECT_EQ(walk.session.n_past(1), 0);
  expect_plain(walk, 1, walk.prefill(1, 5));
}

TEST_F(Sequences, PagesNeverRunOut) {
  SessionOptions all = options(3);
  all.n_ctx = 2 * kPage - 10;
  Walk walk(model_, all);
  for (int round = 0; round < 40; ++round) {
    const int from = walk.random(3), to = walk.random(3);
    walk.fork(from, to);
    walk.truncate(to, walk.random(walk.session.n_past(to) + 1));
    for (int s = 0; s < 3; ++s) {
      if (walk.room(s) > 0) walk.prefill(s, walk.room(s));  // all contexts are full, whatever they share
    }
  }
  for (int s = 0; s < 3; ++s) {
    walk.truncate(s, all.n_ctx - 1);
    expect_plain(walk, s, walk.decode({s}, 1)[0]);
  }
}

/// One step of any kind; hands what it evaluates to expect(sequence, logits).
template <typename Expect>
void step(Walk& walk, const Expect& expect) {
  const int n_sequences = static_cast<int>(walk.texts.size()), s = walk.random(n_sequences);
  const int kind = walk.random(8);
  if (kind == 0) return walk.fork(walk.random(n_sequences), s);
  if (kind == 1) return walk.truncate(s, walk.random(walk.session.n_past(s) + 1));
  if (kind <= 3 && walk.room(s) > 0) {
    return expect(s, walk.prefill(s, 1 + walk.random(std::min(walk.room(s), 300))));
  }
  std::vector<int> growing;
  for (int i = 0; i < n_sequences; ++i) {
    const int other = (s + i) % n_sequences;
    if (walk.room(other) >= 3 && walk.random(3) > 0) growing.push_back(other);
  }
  const std::vector<Logits> last = walk.decode(growing, 1 + walk.random(3));
  ASSERT_EQ(last.size(), growing.size());
  for (size_t i = 0; i < growing.size(); ++i) expect(growing[i], last[i]);
}

TEST_F(Sequences, WalksAtRandomAreAsPlainSessions) {
  for (const KvType kv_type : {KvType::f16, KvType::f32, KvType::int8}) {
    Walk walk(model_, options(4, kv_type));
    for (int i = 0; i < 60 && !HasFailure(); ++i) {
      SCOPED_TRACE(i);
      step(walk, [&](int s, const Logits& found) { expect_plain(walk, s, found, kv_type); });
      for (int s = 0; s < 4; ++s) {
        ASSERT_EQ(walk.session.tokens(s).size(), walk.at(s).size());
        EXPECT_TRUE(std::equal(walk.at(s).begin(), walk.at(s).end(), walk.session.tokens(s).begin(),
                               [](const Past& past, int id) { return past.id == id; }));
      }
    }
  }
}

TEST_F(Sequences, ShiftingOneLeavesTheOtherAsItIs) {
  Walk walk(model_, options(2));
  walk.prefill(0, kPage + 20);
  walk.fork(0, 1);
  walk.session.shift(10, 60, 0);
  EXPECT_EQ(walk.session.n_past(0), kPage + 20 - 50);
  expect_plain(walk, 1, walk.decode({1}, 2)[0]);
  Session alone(model_, options(1));
  std::vector<int> ids;
  for (const Past& past : std::span(walk.at(0)).first(kPage + 20)) ids.push_back(past.id);
  alone.prefill(ids);
  alone.shift(10, 60);
  Logits shifted;
  const Session::Token token{7, 0};
  walk.session.decode_each({&token, 1}, [&](int, std::span<const float> logits) { append(shifted, logits); });
  const std::span<const float> expected = alone.decode(7);
  EXPECT_EQ(shifted, Logits(expected.begin(), expected.end()));
}

TEST_F(Sequences, OneThatIsFullIsAnErrorAndChangesNothing) {
  expect_refused({{1, 1}, {1, 0}, {2, 0}}, {"context full", "at most 1 more tokens", "found 2"});
}

TEST_F(Sequences, ATokenThatIsUnknownIsAnErrorAndChangesNothing) {
  expect_refused({{1, 1}, {300, 0}}, {"token id"});
}

TEST_F(Sequences, OneThatIsGivenInPiecesIsAnErrorAndChangesNothing) {
  expect_refused({{1, 0}, {1, 1}, {2, 0}}, {"sequence 0", "follow each other"});  // each piece alone has room
}

TEST_F(Sequences, AsManyAsThereMayBe) {
  for (const int n : {-1, 0, 1025}) {
    expect_error([&] { Session session(model_, options(n)); }, {"sequences", "1 to 1024", std::to_string(n)});
  }
}

}  // namespace
}  // namespace gptj
