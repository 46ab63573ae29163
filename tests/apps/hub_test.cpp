// Models by name: pull, list, rm, and -m.

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "hub/hub_server.h"
#include "process.h"
#include "terminal/rate.h"

namespace gptj::test {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A hub with the demo model as "org/demo", and an environment that leads to it.
class Hub : public ::testing::Test {
 protected:
  Hub() {
    for (const auto& entry : fs::directory_iterator(kDemoGptJ)) {
      const std::string name = entry.path().filename();
      hub.add("org/demo", "main", name, read(entry.path()), name.ends_with(".safetensors"));
    }
    ::setenv("HF_ENDPOINT", hub.endpoint().c_str(), 1);
    ::setenv("HF_HUB_CACHE", (directory / "hub").c_str(), 1);
    ::setenv("HF_HOME", directory.path().c_str(), 1);
    ::unsetenv("HF_TOKEN");
    ::unsetenv("HF_HUB_OFFLINE");
  }
  ~Hub() override {
    for (const char* name : {"HF_ENDPOINT", "HF_HUB_CACHE", "HF_HOME", "HF_HUB_OFFLINE"}) ::unsetenv(name);
  }

  std::string snapshot() const {
    return directory / ("hub/models--org--demo/snapshots/" + HubServer::commit_of("main"));
  }

  TemporaryDirectory directory;
  HubServer hub;
};

TEST(Rate, SizesAndTimesAreShort) {
  EXPECT_EQ(apps::bytes_text(999), "999 B");
  EXPECT_EQ(apps::bytes_text(12'100'000'000), "12.10 GB");
  EXPECT_EQ(apps::clock_text(122.5), "2:03");
  EXPECT_EQ(apps::clock_text(3723), "1:02:03");
}

TEST_F(Hub, PullsAModelThatThenRunsByItsNameOffline) {
  const Finished pulled = gptj({"pull", "org/demo"});
  EXPECT_EQ(pulled.code, 0) << pulled.err;
  EXPECT_EQ(pulled.out, snapshot() + "\n");
  EXPECT_TRUE(has_line(pulled.err, "pull: ........................................ done"));
  EXPECT_TRUE(has_line(pulled.err, "pull: % files, * MB, of which * MB were fetched; revision *"));

  ::setenv("HF_HUB_OFFLINE", "1", 1);
  const size_t asked = hub.asked.size();
  const std::vector<std::string> args = {"-q", "-n", "5", "--temp", "0", "-p", "int main("};
  const auto with_model = [&](const std::string& model) {
    std::vector<std::string> all = {"-m", model};
    all.insert(all.end(), args.begin(), args.end());
    return gptj(all);
  };
  const Finished by_path = with_model(kDemoGptJ);
  for (const std::string& revision :
       {std::string(""), std::string("@main"), "@" + HubServer::commit_of("main")}) {
    const Finished by_name = with_model("org/demo" + revision);
    EXPECT_EQ(by_name.code, 0) << by_name.err;
    EXPECT_EQ(by_name.out, by_path.out);
  }
  EXPECT_EQ(gptj({"inspect", "org/demo"}).code, 0);
  EXPECT_EQ(gptj({"tokenize", "-m", "org/demo", "-p", "x"}).code, 0);
  EXPECT_EQ(gptj({"quantize", "-q", "org/demo", directory / "q.gptj", "q8"}).code, 0);
  EXPECT_EQ(hub.asked.size(), asked);
}

TEST_F(Hub, APathThatExistsWins) {
  gptj({"pull", "-q", "org/demo"});
  fs::create_directories(directory / "org/demo");
  Start start{.args = {"inspect", "org/demo"}, .directory = directory.path()};
  const Finished f = run(start);
  EXPECT_EQ(f.code, 1);
  EXPECT_TRUE(contains(f.err, "gpt-j: 'org/demo'"));
}

TEST_F(Hub, ANameThatIsNotThereSaysHowToFetchIt) {
  Finished f = gptj({"-m", "org/demo", "-p", "x"});
  EXPECT_EQ(f.code, 1);
  EXPECT_EQ(lines(f.err).size(), 1U);
  EXPECT_TRUE(contains(f.err, "'org/demo': no such file or directory"));
  EXPECT_TRUE(contains(f.err, "'gpt-j pull org/demo'"));
  gptj({"pull", "-q", "org/demo"});
  f = gptj({"inspect", "org/dmeo"});
  EXPECT_TRUE(contains(f.err, "would fetch one; did you mean 'org/demo'?\n"));
  f = gptj({"inspect", "org/demo@float16"});
  EXPECT_TRUE(contains(f.err, "has revision main, not 'float16'"));
  f = gptj({"inspect", "nowhere"});
  EXPECT_TRUE(contains(f.err, "cannot open 'nowhere'"));
}

TEST_F(Hub, AnInterruptedPullGoesOn) {
  hub.tamper([](const HttpAsk& ask, HttpAnswer& answer) {
    if (ask.method == "GET" && ask.path.starts_with("/store/")) answer.stall_after = 1'000'000;
  });
  Process process({.args = {"pull", "org/demo"}});
  ASSERT_TRUE(process.wait_for_error_text("pull: ."));
  process.send(SIGINT);
  const Finished f = process.finish();
  EXPECT_EQ(f.code, 128 + SIGINT);
  EXPECT_EQ(f.out, "");
  EXPECT_TRUE(contains(f.err, "the same command goes on from there"));
  hub.tamper(nullptr);
  EXPECT_EQ(gptj({"pull", "-q", "org/demo"}).code, 0);
  EXPECT_EQ(gptj({"inspect", "org/demo"}).code, 0);
}

TEST_F(Hub, FailuresAreOneLineEach) {
  Finished f = gptj({"pull", "org/nothing"});
  EXPECT_EQ(f.code, 1);
  EXPECT_EQ(lines(f.err).size(), 1U) << f.err;
  EXPECT_TRUE(contains(f.err, "HF_TOKEN"));
  f = gptj({"pull", "org/demo@float16"});
  EXPECT_TRUE(contains(f.err, "there is no such revision"));
  f = gptj({"pull", "org/demo", "--file", "x.gguf"});
  EXPECT_TRUE(contains(f.err, "has no file 'x.gguf'"));
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"pull"}, {"rm"}, {"pull", "a/b@c", "--revision", "d"}, {"list", "--jsno"}}) {
    EXPECT_EQ(gptj(args).code, 2) << args[0];
  }
}

TEST_F(Hub, ListAndRemove) {
  Finished f = gptj({"list"});
  EXPECT_EQ(f.code, 0);
  EXPECT_EQ(f.out, "");
  EXPECT_TRUE(contains(f.err, "no models in"));
  EXPECT_EQ(gptj({"list", "--json"}).out, "[]\n");
  EXPECT_EQ(gptj({"list", "--names"}).out, "");

  gptj({"pull", "-q", "org/demo"});
  f = gptj({"list"});
  EXPECT_TRUE(has_line(f.out, "org/demo *main * MB *safetensors")) << f.out;
  EXPECT_EQ(gptj({"list", "--names"}).out, "org/demo\n");
  const nlohmann::json list = nlohmann::json::parse(gptj({"list", "--json"}).out);
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0]["name"], "org/demo");
  EXPECT_EQ(list[0]["refs"], nlohmann::json({"main"}));
  EXPECT_EQ(list[0]["path"], snapshot());

  f = gptj({"rm", "org/dmeo"});
  EXPECT_EQ(f.code, 1);
  EXPECT_TRUE(contains(f.err, "did you mean 'org/demo'?"));
  f = gptj({"rm", "org/demo@float16"});
  EXPECT_TRUE(contains(f.err, "has revision main, not 'float16'"));
  EXPECT_FALSE(contains(f.err, "did you mean"));
  EXPECT_EQ(gptj({"rm", "org/demo@main", "--revision", "main"}).code, 2);
  f = gptj({"rm", "org/demo@main"});
  EXPECT_EQ(f.code, 0) << f.err;
  EXPECT_TRUE(contains(f.err, "MB are free again"));
  EXPECT_EQ(gptj({"list", "--json"}).out, "[]\n");
  EXPECT_EQ(gptj({"rm", "org/demo"}).code, 1);
}

}  // namespace
}  // namespace gptj::test
