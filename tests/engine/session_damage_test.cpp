// Session files that must not be used, and disks that fail: the file stays as it was, and the session holds nothing.

#include <cstring>
#include <filesystem>
#include <functional>

#include "base/file_size_limit.h"
#include "engine/session_files.h"

namespace gptj {
namespace {

using namespace test;

constexpr int kTokens = 37;

class SessionDamage : public testing::Test {
 protected:
  SessionDamage()
      : model_(write_tiny(directory_, "gptj", DType::f16), {.n_threads = 1}),
        saved_(model_, directory_ / "a.session", {}, kTokens),
        good_(bytes_of(saved_.path)) {}

  /// The message that refuses a file of these bytes.
  std::string refusal(const std::string& bytes) const { return refusal(bytes, model_, {}); }
  std::string refusal(const std::string& bytes, const Model& model, const SessionOptions& options) const {
    const std::string path = directory_.file("bad.session", bytes);
    Session session(model, options);
    session.prefill(some_ids(5));
    const std::string message = error_of([&] { load_session(session, path); });
    if (message.empty()) return message;
    EXPECT_EQ(session.n_past(), 0);
    EXPECT_NE(message.find("bad.session"), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    session.prefill(some_ids(80));  // all pages are there again
    return message;
  }

  /// The file with another beginning, whose checksum is right.
  std::string with_head(const std::function<void(SessionHead&)>& change) const {
    SessionHead head = read_session_head(InputFile(saved_.path));
    const size_t before = head.bytes();
    change(head);
    head.start.checksum = session_checksum(head);
    std::string bytes(reinterpret_cast<const char*>(&head.start), sizeof head.start);
    bytes.append(reinterpret_cast<const char*>(head.ids.data()), head.ids.size() * sizeof(int32_t));
    return bytes + good_.substr(before);
  }

  void expect_refusal(const std::string& bytes, const std::vector<std::string>& words) const {
    const std::string message = refusal(bytes);
    EXPECT_NE(message, "");
    for (const std::string& word : words) {
      EXPECT_NE(message.find(word), std::string::npos) << "expected \"" << word << "\" in: " << message;
    }
  }

  TemporaryDirectory directory_;
  Model model_;
  Saved saved_;
  std::string good_;
};

TEST_F(SessionDamage, TheFileItselfIsGood) {
  EXPECT_EQ(refusal(good_), "");
  EXPECT_EQ(refusal(with_head([](SessionHead&) {})), "");
}

TEST_F(SessionDamage, TruncatedAnywhere) {
  for (size_t n = 0; n < good_.size(); n += 97) EXPECT_NE(refusal(good_.substr(0, n)), "") << n;
  EXPECT_NE(refusal(good_.substr(0, good_.size() - 1)), "");
  EXPECT_NE(refusal(good_ + '\0'), "");
}

TEST_F(SessionDamage, AnyBitThatChanged) {
  for (size_t i = 0; i < good_.size(); i += i < 200 ? 1 : 97) {
    std::string bad = good_;
    bad[i] = static_cast<char>(bad[i] ^ (1 << i % 8));
    EXPECT_NE(refusal(bad), "") << "byte " << i;
  }
}

TEST_F(SessionDamage, EveryField) {
  struct {
    const char* what;
    std::function<void(SessionHead&)> change;
    std::vector<std::string> words;
  } const cases[] = {
      {"magic", [](SessionHead& h) { h.start.magic[1] = 'G'; }, {"expected a session file", "first bytes"}},
      {"byte order", [](SessionHead& h) { h.start.byte_order = 0x04030201; }, {"byte order", "0x04030201"}},
      {"old", [](SessionHead& h) { h.start.version = 0; }, {"version: expected 1", "found 0"}},
      {"new", [](SessionHead& h) { h.start.version = 2; }, {"version: expected 1", "found 2", "newer"}},
      {"model", [](SessionHead& h) { ++h.start.model; }, {"another model"}},
      {"type", [](SessionHead& h) { h.start.kv_type = 2; }, {"expected f16, found int8"}},
      {"unknown type", [](SessionHead& h) { h.start.kv_type = 7; }, {"expected f16, found 7"}},
      {"exact", [](SessionHead& h) { h.start.exact = 1; }, {"exact arithmetic: expected 0, found 1"}},
      {"prefix", [](SessionHead& h) { h.start.prefix_lm = 1; }, {"both ways: expected 0, found 1"}},
      {"fewer tokens",
       [](SessionHead& h) {
         --h.start.n_tokens;
         h.ids.pop_back();
       },
       {"for 36 tokens", "damaged"}},
      {"one that is pending",
       [](SessionHead& h) {
         --h.start.n_tokens;
         ++h.start.n_pending;
       },
       {"for 36 tokens", "damaged"}},
      {"a longer context",
       [](SessionHead& h) {
         h.start.n_tokens = 81;
         h.ids.resize(81);
       },
       {"at most 80", "found 81"}},
      {"all tokens",
       [](SessionHead& h) { h.start.n_tokens = 0xffffffff; },
       {"truncated", "found 4294967295"}},
      {"pending", [](SessionHead& h) { h.start.n_pending = 0xffffffff; }, {"truncated", "found 4294967332"}},
      {"id", [](SessionHead& h) { h.ids[3] = 300; }, {"token id: expected 0 to 299, found 300"}},
      {"negative id", [](SessionHead& h) { h.ids[36] = -1; }, {"token id", "found -1"}},
  };
  for (const auto& [what, change, words] : cases) {
    SCOPED_TRACE(what);
    expect_refusal(with_head(change), words);
  }
  std::string checksum = good_;
  ++checksum[offsetof(SessionStart, checksum)];
  expect_refusal(checksum, {"checksum of the tokens", "damaged"});
  std::string data = good_;
  ++data[good_.size() - 10];  // of the last panel
  expect_refusal(data, {"checksum of tokens from 32 on", "damaged"});
}

TEST_F(SessionDamage, OtherOptions) {
  EXPECT_NE(refusal(good_, model_, {.kv_type = KvType::f32}).find("expected f32, found f16"),
            std::string::npos);
  EXPECT_NE(refusal(good_, model_, {.exact = true}).find("exact arithmetic: expected 1, found 0"),
            std::string::npos);
  EXPECT_NE(refusal(good_, model_, {.prefix_lm = true}).find("both ways: expected 1, found 0"),
            std::string::npos);
  EXPECT_EQ(refusal(good_, model_, {.n_ctx = 80, .n_threads = 2, .n_batch = 9, .n_sequences = 2}), "");
}

TEST_F(SessionDamage, OtherModels) {
  const auto expect_other = [&](const std::string& path, const char* what) {
    EXPECT_NE(refusal(good_, Model(path, {.n_threads = 1}), {}).find("another model"), std::string::npos)
        << what;
  };
  const TemporaryDirectory other;
  expect_other(write_tiny(other, "gpt2", DType::f16), "architecture");
  expect_other(write_tiny(other, "gptj", DType::q8_0), "type");
  ModelShape shape = kTinyShape;
  shape.n_rot = 4;
  expect_other(write_tiny(other, "gptj", DType::f16, shape), "rotary dimensions");
  for (const char* name : {"transformer.h.1.attn.v_proj.weight", "transformer.ln_f.bias"}) {
    GgmlFile tuned = ggml_gptj(kTinyShape, DType::f16);
    for (char& byte : tuned.tensor(name).data) byte = static_cast<char>(byte ^ 1);
    expect_other(other.file("tuned.bin", tuned.bytes()), name);
  }
}

TEST_F(SessionDamage, WhatIsNoFile) {
  Session session(model_);
  expect_error([&] { load_session(session, directory_ / "missing"); }, {"missing", "No such file"});
  expect_error([&] { load_session(session, directory_.path()); }, {"regular file", "directory"});
  expect_error([&] { load_session(session, directory_.file("text", std::string(100, 'x'))); },
               {"expected a session file"});
  expect_error([&] { read_session_tokens(directory_.file("empty", "")); }, {"empty", "truncated"});
  expect_error([&] { save_session(session, directory_ / "no/where"); }, {"no/where", "No such file"});
  expect_error([&] { save_session(session, directory_.path()); }, {"regular file"});
}

TEST_F(SessionDamage, ADiskThatIsFullLosesNothing) {
  saved_.session.decode(1);
  std::string message;
  for (const rlim_t room : {rlim_t{10}, rlim_t{5000}, static_cast<rlim_t>(good_.size())}) {
    {
      const FileSizeLimit limit(room);
      message = error_of([&] { save_session(saved_.session, saved_.path); });
    }
    EXPECT_NE(message.find("cannot write"), std::string::npos) << message;
    EXPECT_EQ(bytes_of(saved_.path), good_);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_.path()), {}), 2);
  }
  save_session(saved_.session, saved_.path);
  EXPECT_EQ(read_session_tokens(saved_.path).ids.size(), size_t{kTokens + 1});
}

}  // namespace
}  // namespace gptj
