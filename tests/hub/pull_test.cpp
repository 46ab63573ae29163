// What a pull fetches, where it puts it, and how it goes on after a break.

#include <sys/file.h>
#include <unistd.h>

#include <thread>

#include "hub/pulling.h"

namespace gptj::test {
namespace {

namespace fs = std::filesystem;

class Pull : public Pulling {};

TEST_F(Pull, FetchesWhatTheModelNeedsIntoTheLayoutOfHuggingFace) {
  const PulledModel model = pull();
  const std::string commit = HubServer::commit_of("main");
  EXPECT_EQ(model.commit, commit);
  EXPECT_EQ(model.path, (folder() / "snapshots" / commit).native());
  EXPECT_EQ(model.n_files, 3U);
  EXPECT_EQ(model.bytes, weights.size() + 2 + 7);
  EXPECT_EQ(model.fetched, model.bytes);
  expect_complete(model);
  EXPECT_FALSE(fs::exists(fs::path(model.path) / "README.md"));
  EXPECT_FALSE(fs::exists(fs::path(model.path) / "tf_model.h5"));

  const fs::path link = fs::read_symlink(fs::path(model.path) / "config.json");
  EXPECT_EQ(link, "../../blobs/9e26dfeeb6e641a33dae4961196235bdb965b21b");  // git hash-object of "{}"
  EXPECT_EQ(read_bytes(folder() / "refs" / "main"), commit);
  EXPECT_TRUE(notices.empty());
}

TEST_F(Pull, WhatIsThereIsNotFetchedAgain) {
  pull();
  const size_t before = hub.times_asked("GET", "");
  const PulledModel again = pull();
  EXPECT_EQ(again.fetched, 0U);
  EXPECT_EQ(hub.times_asked("GET", "") - before, 1U);  // the list
  hub.add("org/name", "float16", "config.json", "{}");
  hub.add("org/name", "float16", "model.safetensors", some_bytes(20), true);
  const PulledModel other = pull({.revision = "float16"});
  EXPECT_EQ(other.fetched, 20U);
  EXPECT_NE(other.path, again.path);
  EXPECT_EQ(read_bytes(folder() / "refs" / "float16"), HubServer::commit_of("float16"));
  EXPECT_EQ(pull({.revision = again.commit}).path, again.path);
  EXPECT_FALSE(fs::exists(folder() / "refs" / again.commit));
}

TEST_F(Pull, OneFile) {
  hub.add("org/name", "main", "sub/dir/x.gguf", "GGUF", true);
  const PulledModel model = pull({.file = "sub/dir/x.gguf"});
  EXPECT_EQ(model.n_files, 1U);
  EXPECT_EQ(read_bytes(model.path), "GGUF");
  EXPECT_TRUE(model.path.ends_with("/sub/dir/x.gguf"));
  EXPECT_TRUE(fs::read_symlink(model.path).native().starts_with("../../../../blobs/"));
  expect_error([&] { pull({.file = "x.gguf"}); }, {"'x.gguf'", "it has", "sub/dir/x.gguf"});
}

TEST_F(Pull, SeveralConnectionsShareALargeFile) {
  const PulledModel model = pull();
  expect_complete(model);
  EXPECT_EQ(hub.times_asked("GET", "/store/"), 11U);  // pieces of 1000 bytes
  EXPECT_EQ(hub.times_asked("HEAD", "/store/"), 0U);
}

TEST_F(Pull, TheTokenIsForTheHubOnly) {
  settings.token = "hf_secret";
  expect_complete(pull());
  size_t with = 0, at_store = 0;
  for (const HttpAsk& ask : hub.asked) {
    const bool stored = ask.path.starts_with("/store/");
    at_store += stored;
    with += ask.headers.contains("authorization");
    EXPECT_EQ(ask.headers.contains("authorization"), !stored) << ask.path;
  }
  EXPECT_GT(with, 0U);
  EXPECT_GT(at_store, 0U);
}

TEST_F(Pull, TheTokenDoesNotFollowARedirectOfAGet) {
  settings.token = "hf_secret";
  hub.tamper([&](const HttpAsk& ask, HttpAnswer& answer) {
    if (ask.method == "GET" && ask.path.ends_with("/config.json") &&
        ask.headers.at("host").starts_with("127.")) {
      answer = {.status = 307, .headers = {{"Location", hub.store() + ask.path}}};
    } else if (ask.method == "GET" && ask.path.ends_with("/config.json")) {
      EXPECT_FALSE(ask.headers.contains("authorization"));
      answer = {.body = "{}"};
    }
  });
  expect_complete(pull());
}

TEST_F(Pull, ARenamedModelIsFoundUnderItsOldName) {
  hub.tamper([&](const HttpAsk& ask, HttpAnswer& answer) {
    const size_t old = ask.path.find("/old/name");
    if (old == std::string::npos) return;
    answer = {.status = 307,
              .headers = {{"Location", ask.path.substr(0, old) + "/org/name" + ask.path.substr(old + 9)}}};
  });
  const PulledModel model = pull_model("old/name", {}, settings);
  EXPECT_EQ(read_bytes(fs::path(model.path) / "model.safetensors"), weights);
  EXPECT_TRUE(model.path.find("models--old--name") != std::string::npos);
}

TEST_F(Pull, GoesOnAtAnyByte) {
  for (const size_t kept :
       {size_t{0}, size_t{1}, size_t{999}, size_t{1000}, size_t{9'499}, weights.size() - 1, weights.size()}) {
    SCOPED_TRACE(kept);
    fs::remove_all(settings.cache);
    const PulledModel first = pull();
    const fs::path blob = fs::canonical(fs::path(first.path) / "model.safetensors");
    fs::rename(blob, blob.native() + ".incomplete");
    fs::resize_file(blob.native() + ".incomplete", kept);
    const PulledModel second = pull();
    EXPECT_EQ(second.fetched, weights.size() - kept);
    expect_complete(second);
  }
}

TEST_F(Pull, AStopKeepsWhatHasArrived) {
  PullOptions options;
  options.progress = [&](uint64_t done, uint64_t) { return done < 5'000; };
  expect_error([&] { pull(options); }, {"stopped"});
  ASSERT_EQ(incomplete().size(), 1U);
  const std::string kept = read_bytes(incomplete()[0]);
  EXPECT_GE(kept.size(), 4'000U);
  EXPECT_EQ(kept, weights.substr(0, kept.size()));
  EXPECT_FALSE(fs::exists(folder() / "refs" / "main"));  // the name does not stand for half a model
  const PulledModel model = pull();
  EXPECT_EQ(model.fetched, weights.size() - kept.size());
  expect_complete(model);
}

TEST_F(Pull, ProgressEndsWithEverything) {
  uint64_t last = 0, total = 0;
  PullOptions options;
  options.progress = [&](uint64_t done, uint64_t all) {
    EXPECT_GE(done, last);
    last = done, total = all;
    return true;
  };
  const PulledModel model = pull(options);
  EXPECT_EQ(total, model.bytes);
  EXPECT_EQ(last, model.bytes);
}

TEST_F(Pull, WaitsForWhoeverHoldsTheLock) {
  pull();
  const fs::path blob =
      fs::canonical(folder() / "snapshots" / HubServer::commit_of("main") / "model.safetensors");
  const fs::path lock =
      fs::path(settings.cache) / ".locks" / "models--org--name" / (blob.filename().native() + ".lock");
  ASSERT_TRUE(fs::exists(lock));
  fs::remove(blob);

  const int fd = ::open(lock.c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_EQ(::flock(fd, LOCK_EX), 0);
  PullOptions options;
  bool waited = false;
  options.notice = [&](const std::string& text) {
    EXPECT_NE(text.find("waiting"), std::string::npos);
    waited = true;
    std::ofstream(blob, std::ios::binary) << weights;  // the other one is done
    ::close(fd);
  };
  const PulledModel model = pull(options);
  EXPECT_TRUE(waited);
  EXPECT_EQ(model.fetched, 0U);
  expect_complete(model);
}

TEST_F(Pull, TwoAtOnceFetchOnce) {
  std::thread other([&] { EXPECT_EQ(pull_model("org/name", {}, settings).n_files, 3U); });
  const PulledModel model = pull();
  other.join();
  expect_complete(model);
  EXPECT_EQ(hub.times_asked("GET", "/store/"), 11U);
}

TEST_F(Pull, EmptyFiles) {
  hub.add("org/name", "main", "merges.txt", "");
  hub.add("org/name", "main", "added_tokens.json", "", true);
  const PulledModel model = pull();
  EXPECT_EQ(model.n_files, 5U);
  EXPECT_EQ(fs::file_size(fs::path(model.path) / "merges.txt"), 0U);
  EXPECT_EQ(fs::file_size(fs::path(model.path) / "added_tokens.json"), 0U);
}

TEST_F(Pull, ChoosesOnlyWhereThereIsAChoice) {
  hub.add("org/gguf", "main", "a.Q4_0.gguf", "4", true);
  EXPECT_TRUE(pull_model("org/gguf", {}, settings).path.ends_with("/a.Q4_0.gguf"));
  hub.add("org/gguf", "main", "a.Q8_0.gguf", "8", true);
  expect_error([&] { pull_model("org/gguf", {}, settings); }, {"--file", "a.Q4_0.gguf", "a.Q8_0.gguf"});
  hub.add("org/tf", "main", "tf_model.h5", "x", true);
  expect_error([&] { pull_model("org/tf", {}, settings); }, {"'org/tf'", "no weights", "tf_model.h5"});
}

}  // namespace
}  // namespace gptj::test
