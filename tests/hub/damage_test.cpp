// Hubs, networks and disks that fail.

#include <chrono>

#include "base/file_size_limit.h"
#include "hub/pulling.h"

namespace gptj::test {
namespace {

namespace fs = std::filesystem;

class HubDamage : public Pulling {
 protected:
  /// Changes the first `times` answers to GETs of the weights.
  void tamper_weights(int times, const std::function<void(HttpAnswer&)>& change) {
    hub.tamper([=, left = times](const HttpAsk& ask, HttpAnswer& answer) mutable {
      if (ask.method == "GET" && ask.path.starts_with("/store/") && left-- > 0) change(answer);
    });
  }

  /// Changes every answer on a route.
  void tamper_route(const std::string& part, const std::function<void(HttpAnswer&)>& change) {
    hub.tamper([=](const HttpAsk& ask, HttpAnswer& answer) {
      if (ask.path.find(part) != std::string::npos) change(answer);
    });
  }
};

TEST_F(HubDamage, WhatMayPassIsTriedAgain) {
  for (const int status : {408, 429, 500, 502, 503, 504}) {
    SCOPED_TRACE(status);
    fs::remove_all(settings.cache);
    notices.clear();
    hub.tamper([status, left = 2](const HttpAsk& ask, HttpAnswer& answer) mutable {
      if (ask.path.find("/revision/") != std::string::npos && left-- > 0) answer = {.status = status};
    });
    expect_complete(pull());
    ASSERT_EQ(notices.size(), 2U);
    EXPECT_NE(notices[0].find(std::to_string(status)), std::string::npos) << notices[0];
    tamper_weights(
        3, [&](HttpAnswer& answer) { answer = {.status = status, .body = "a page that is no model"}; });
    fs::remove_all(settings.cache);
    expect_complete(pull());
  }
}

TEST_F(HubDamage, PatienceEnds) {
  settings.n_attempts = 3;
  tamper_route("/revision/", [](HttpAnswer& answer) { answer = {.status = 503}; });
  expect_error([&] { pull(); }, {"503", "/revision/main", "3 times"});
  EXPECT_EQ(hub.times_asked("GET", "/revision/"), 3U);
  tamper_route("/store/", [](HttpAnswer& answer) { answer = {.status = 500}; });
  expect_error([&] { pull(); }, {"500", "/store/", "3 times"});
}

TEST_F(HubDamage, RetryAfterIsHonoured) {
  using Clock = std::chrono::steady_clock;
  std::vector<Clock::time_point> asked;
  hub.tamper([&](const HttpAsk& ask, HttpAnswer& answer) {
    if (ask.path.find("/revision/") == std::string::npos) return;
    asked.push_back(Clock::now());
    if (asked.size() == 1) answer = {.status = 429, .headers = {{"Retry-After", "1"}}};
  });
  expect_complete(pull());
  ASSERT_EQ(asked.size(), 2U);
  EXPECT_GE(asked[1] - asked[0], std::chrono::milliseconds(990));
  tamper_route("/revision/", [](HttpAnswer& answer) {
    answer = {.status = 429, .headers = {{"Retry-After", "99999"}}};
  });
  expect_error([&] { pull(); }, {"429", "99999 s"});
}

TEST_F(HubDamage, RefusalsSayWhatToDo) {
  struct Refusal {
    int status;
    const char* code;
    const char* token;
    std::vector<std::string> words;
  };
  const Refusal refusals[] = {
      {401, "RepoNotFound", "", {"'org/name'", "401", "mistyped", "HF_TOKEN"}},
      {401, "", "hf_x", {"401", "another token"}},
      {403, "GatedRepo", "", {"403", "terms", "/org/name", "HF_TOKEN"}},
      {403, "", "hf_x", {"403", "terms"}},
      {404, "RevisionNotFound", "", {"'main'", "no such revision"}},
      {404, "RepoNotFound", "", {"no such model"}},
      {404, "", "", {"no such model"}},
      {418, "", "", {"expected 200", "418"}},
  };
  for (const Refusal& refusal : refusals) {
    SCOPED_TRACE(refusal.status);
    settings.token = refusal.token;
    tamper_route("/revision/", [&](HttpAnswer& answer) {
      answer = {.status = refusal.status,
                .headers = {{"X-Error-Code", refusal.code}, {"X-Error-Message", "\x1b[31mno"}}};
    });
    expect_error([&] { pull(); }, refusal.words);
    EXPECT_EQ(error_of([&] { pull(); }).find('\x1b'), std::string::npos);
  }
  EXPECT_TRUE(notices.empty());  // none was tried again
  tamper_route("/resolve/", [](HttpAnswer& answer) {
    answer = {.status = 404, .headers = {{"X-Error-Code", "EntryNotFound"}}};
  });
  expect_error([&] { pull(); }, {"no such file", "model.safetensors"});
}

TEST_F(HubDamage, DroppedInTheMiddleAgainAndAgain) {
  tamper_weights(1000, [](HttpAnswer& answer) { answer.drop_after = 700; });
  settings.n_connections = 1;
  expect_complete(pull());
  EXPECT_GE(notices.size(), 10U);
  EXPECT_NE(notices[0].find("broken off"), std::string::npos) << notices[0];
}

TEST_F(HubDamage, DroppedPiecesAmongSeveralConnections) {
  tamper_weights(1000, [n = 0](HttpAnswer& answer) mutable {
    if (++n % 3 == 0) answer.drop_after = 500;
  });
  expect_complete(pull());
}

TEST_F(HubDamage, DroppedWithoutAByte) {
  settings.n_attempts = 3;
  settings.n_connections = 1;
  tamper_weights(1000, [](HttpAnswer& answer) { answer.drop_after = 0; });
  expect_error([&] { pull(); }, {"model.safetensors", "broken off at byte 0", "3 times"});
}

TEST_F(HubDamage, AServerThatFallsSilent) {
  tamper_weights(1, [](HttpAnswer& answer) { answer.stall_after = 300; });
  expect_complete(pull());
  ASSERT_EQ(notices.size(), 1U);
  EXPECT_NE(notices[0].find("broken off"), std::string::npos) << notices[0];
}

TEST_F(HubDamage, AHubThatCannotBeReachedIsNotWaitedFor) {
  settings.endpoint = "http://127.0.0.1:1";
  expect_error([&] { pull(); }, {"no answer", settings.endpoint, "HF_ENDPOINT"});
  EXPECT_TRUE(notices.empty());
}

TEST_F(HubDamage, AServerWithoutRanges) {
  const auto whole = [this](HttpAnswer& answer) { answer = {.body = weights}; };
  tamper_weights(1000, whole);
  expect_complete(pull());
  EXPECT_TRUE(notices.empty());

  fs::remove_all(settings.cache);
  tamper_weights(1000, [whole, n = 0](HttpAnswer& answer) mutable {
    whole(answer);
    if (++n < 8) answer.drop_after = 4000;  // then it begins from the beginning
  });
  settings.n_connections = 1;
  expect_error([&] { settings.n_attempts = 3, pull(); }, {"broken off at byte 4000"});
  settings.n_attempts = 20;
  expect_complete(pull());
}

TEST_F(HubDamage, LyingLengths) {
  settings.n_attempts = 2;
  tamper_weights(1000, [](HttpAnswer& answer) { answer.claimed_length = answer.body.size() + 1000; });
  settings.n_connections = 1;  // one answer: the whole file and more
  expect_complete(pull());     // the bytes are there, the rest was a lie
  fs::remove_all(settings.cache);

  tamper_weights(1000, [](HttpAnswer& answer) { answer.body += "more"; });
  expect_error([&] { pull(); }, {"model.safetensors", "10500 bytes", "found more"});

  tamper_weights(1000, [&](HttpAnswer& answer) { answer = {.body = weights.substr(0, 10'000)}; });
  expect_error([&] { pull(); }, {"broken off at byte 10000 of 10500"});
}

TEST_F(HubDamage, OtherRangesThanAsked) {
  for (const std::string range :
       {"bytes 0-999/10499", "bytes 1-1000/10500", "bytes 0-998/10500", "bytes 0-999/*", "", "x"}) {
    fs::remove_all(settings.cache);
    tamper_weights(1000, [range](HttpAnswer& answer) { answer.headers["Content-Range"] = range; });
    expect_error([&] { pull(); }, {"model.safetensors", "Content-Range", "/10500'"});
  }
}

TEST_F(HubDamage, OtherContentThanTheHash) {
  tamper_weights(1, [](HttpAnswer& answer) { answer.body[17] ^= 1; });
  expect_error([&] { pull(); }, {"damaged", "hash", "removed"});
  EXPECT_TRUE(incomplete().empty());
  expect_complete(pull());

  fs::remove_all(settings.cache);
  hub.tamper([](const HttpAsk& ask, HttpAnswer& answer) {
    if (ask.method == "GET" && ask.path.ends_with("/config.json")) answer.body = "[]";
  });
  expect_error([&] { pull(); }, {"damaged", "9e26dfeeb6e641a33dae4961196235bdb965b21b"});
}

TEST_F(HubDamage, AnIncompleteFileOfOtherBytes) {
  const PulledModel model = pull();
  const fs::path blob = fs::canonical(fs::path(model.path) / "model.safetensors");
  fs::remove(blob);
  std::ofstream(blob.native() + ".incomplete") << "other bytes";
  expect_error([&] { pull(); }, {"damaged"});
  expect_complete(pull());
  fs::remove(blob);
  std::ofstream(blob.native() + ".incomplete") << std::string(20'000, 'x');  // more than there can be
  expect_complete(pull());
}

TEST_F(HubDamage, ChangedWhileItIsFetched) {
  int n = 0;
  hub.tamper([&](const HttpAsk& ask, HttpAnswer& answer) {
    if (ask.method == "GET" && ask.path.starts_with("/store/")) answer.drop_after = 500;
    if (ask.method == "HEAD" && ask.path.ends_with(".safetensors") && ++n > 1) {
      answer.headers["X-Linked-Etag"] = "\"" + std::string(64, 'e') + "\"";
    }
  });
  expect_error([&] { pull(); }, {"model.safetensors", "changed", std::string(64, 'e').substr(0, 20)});
}

TEST_F(HubDamage, HeadersThatCannotBe) {
  struct Lie {
    const char* header;
    std::string value;
    const char* word;
  };
  const Lie lies[] = {
      {"X-Linked-Etag", "\"../../../evil\"", "ETag"},
      {"X-Linked-Etag", "\"\"", "ETag"},
      {"X-Linked-Etag", "a/b", "ETag"},
      {"X-Linked-Etag", "\".\"", "ETag"},
      {"X-Linked-Etag", std::string(300, 'a'), "ETag"},
      {"X-Linked-Size", "-1", "size"},
      {"X-Linked-Size", "99999999999999999999", "size"},
      {"X-Linked-Size", "12x", "size"},
      {"X-Linked-Size", "9223372036854775807", "size"},
      {"X-Linked-Size", "1000000000000000", "space"},
      {"X-Repo-Commit", "abc", "X-Repo-Commit"},
      {"Location", "ftp://127.0.0.1/x", ""},
      {"Location", "file:///etc/passwd", ""},
  };
  settings.n_attempts = 2;
  for (const Lie& lie : lies) {
    SCOPED_TRACE(lie.value);
    hub.tamper([&](const HttpAsk& ask, HttpAnswer& answer) {
      if (ask.path.ends_with(".safetensors")) answer.headers[lie.header] = lie.value;
    });
    expect_error([&] { pull(); }, {lie.word});
  }
}

TEST_F(HubDamage, EndlessRedirects) {
  hub.tamper([](const HttpAsk& ask, HttpAnswer& answer) {
    if (ask.path.find("/resolve/") != std::string::npos)
      answer = {.status = 302, .headers = {{"Location", ask.path}}};
  });
  expect_error([&] { pull(); }, {"redirects"});
  hub.tamper([](const HttpAsk& ask, HttpAnswer& answer) {
    answer = {.status = 302, .headers = {{"Location", ask.path}}};
  });
  settings.n_attempts = 2;
  expect_error([&] { pull(); }, {"redirects"});
}

TEST_F(HubDamage, ListsThatLie) {
  const std::string commit(40, 'a');
  const auto with = [&](const std::string& body) {
    tamper_route("/revision/", [&](HttpAnswer& answer) { answer = {.body = body}; });
    return error_of([&] { pull(); });
  };
  const auto names = [&](const std::string& name) {
    return R"({"sha":")" + commit + R"(","siblings":[{"rfilename":)" + name + "}]}";
  };
  for (const std::string body :
       {"", "[]", "{", "<html>", "17", "{\"sha\":1}", "{\"sha\":\"../..\",\"siblings\":[]}",
        "{\"sha\":\"abc\"}", "{\"sha\":\"abc\",\"siblings\":7}", "{\"sha\":\"abc\",\"siblings\":[7]}"}) {
    EXPECT_NE(with(body).find("/api/models/org/name/revision/main"), std::string::npos) << body << "\n"
                                                                                        << with(body);
  }
  for (const std::string name : {R"("../../.ssh/config.json")", R"("/etc/config.json")", R"("a/../../b")",
                                 R"("")", R"(7)", R"("a\u0000b")", R"("a\nb")", R"("a\\b")"}) {
    EXPECT_NE(with(names(name)).find("rfilename"), std::string::npos) << name << "\n" << with(names(name));
  }
  EXPECT_NE(with("{\"sha\":" + std::string(5000, '[')).find("nested"), std::string::npos);
}

TEST_F(HubDamage, ADiskThatIsFull) {
  // The limit of a file's size stands for it: the same error, but in this process only.
  pull();
  fs::remove_all(settings.cache);
  std::string error;
  {
    const FileSizeLimit limit(5'000);
    error = error_of([&] { pull(); });
  }
  EXPECT_NE(error.find("cannot write"), std::string::npos) << error;
  EXPECT_NE(error.find("models--org--name/model.safetensors'"), std::string::npos) << error;
  EXPECT_FALSE(fs::exists(folder() / "refs" / "main"));
  const PulledModel model = pull();
  EXPECT_EQ(model.fetched, weights.size() - 5'000);
  expect_complete(model);
}

TEST_F(HubDamage, LinksThatLeadOutOfTheCacheAreNotWrittenThrough) {
  const std::string outside = directory.file("outside", "precious");
  pull();
  const fs::path snapshot = folder() / "snapshots" / HubServer::commit_of("main");
  const fs::path blob = fs::canonical(snapshot / "model.safetensors");
  fs::remove(blob);
  fs::create_symlink(outside, blob.native() + ".incomplete");
  expect_error([&] { pull(); }, {"cannot create", "/blobs/"});
  EXPECT_EQ(read_bytes(outside), "precious");
  fs::remove(blob.native() + ".incomplete");

  fs::create_symlink(directory.path(), snapshot / "sub");
  hub.add("org/name", "main", "sub/outside", "evil");
  expect_error([&] { pull({.file = "sub/outside"}); }, {"link to outside"});
  EXPECT_EQ(read_bytes(outside), "precious");
}

TEST_F(HubDamage, ACacheThatCannotBeWritten) {
  settings.cache = directory.file("file", "no directory");
  expect_error([&] { pull(); }, {"cannot create the directory", "file/models--org--name"});
}

TEST_F(HubDamage, NamesThatAreNone) {
  for (const std::string name : {"", "../..", "a/b/c", "/etc/passwd", "a?b", "a/..", "http://x"}) {
    expect_error([&] { pull_model(name, {}, settings); }, {"expected the name of a model"});
  }
  expect_error([&] { pull({.revision = "../x"}); }, {"'../x'", "revision"});
  EXPECT_TRUE(hub.asked.empty());
  settings.offline = true;
  expect_error([&] { pull(); }, {"HF_HUB_OFFLINE"});
}

}  // namespace
}  // namespace gptj::test
