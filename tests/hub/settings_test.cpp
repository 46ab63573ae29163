#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <optional>

#include "base/failure.h"
#include "gptj/hub.h"
#include "io/model_files.h"

namespace gptj::test {
namespace {

/// Only these variables are set, of those that matter here; as before at its end.
class Environment {
 public:
  explicit Environment(const std::map<std::string, std::string>& values) {
    for (const char* name :
         {"HF_ENDPOINT", "HF_TOKEN", "HF_TOKEN_PATH", "HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE",
          "XDG_CACHE_HOME", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HOME"}) {
      const char* value = std::getenv(name);
      if (value != nullptr)
        before_[name] = value;
      else
        before_[name] = std::nullopt;
      ::unsetenv(name);
    }
    ::setenv("HOME", "/no/such/home", 1);
    for (const auto& [name, value] : values) ::setenv(name.c_str(), value.c_str(), 1);
  }
  ~Environment() {
    for (const auto& [name, value] : before_) {
      if (value)
        ::setenv(name.c_str(), value->c_str(), 1);
      else
        ::unsetenv(name.c_str());
    }
  }

 private:
  std::map<std::string, std::optional<std::string>> before_;
};

HubSettings settings_with(const std::map<std::string, std::string>& values) {
  const Environment environment(values);
  return hub_settings();
}

TEST(HubSettings, DefaultsAreHuggingFaces) {
  const HubSettings settings = settings_with({});
  EXPECT_EQ(settings.endpoint, "https://huggingface.co");
  EXPECT_EQ(settings.token, "");
  EXPECT_EQ(settings.cache, "/no/such/home/.cache/huggingface/hub");
  EXPECT_FALSE(settings.offline);
}

TEST(HubSettings, TheMostParticularNameOfTheCacheCounts) {
  std::map<std::string, std::string> values;
  const std::pair<std::string, std::string> steps[] = {{"XDG_CACHE_HOME", "/a/huggingface/hub"},
                                                       {"HF_HOME", "/a/hub"},
                                                       {"HUGGINGFACE_HUB_CACHE", "/a"},
                                                       {"HF_HUB_CACHE", "/b"}};
  for (const auto& [name, cache] : steps) {
    values[name] = name == "HF_HUB_CACHE" ? "/b" : "/a";
    EXPECT_EQ(settings_with(values).cache, cache) << name;
  }
  EXPECT_EQ(settings_with({{"HF_HUB_CACHE", "~/x"}}).cache, "/no/such/home/x");
  EXPECT_EQ(settings_with({{"HF_HUB_CACHE", ""}, {"HF_HOME", "/h"}}).cache, "/h/hub");
}

TEST(HubSettings, Endpoint) {
  EXPECT_EQ(settings_with({{"HF_ENDPOINT", "http://localhost:8080//"}}).endpoint, "http://localhost:8080");
  for (const std::string endpoint : {"localhost", "file:///etc", "ftp://a", "/"}) {
    expect_error([&] { settings_with({{"HF_ENDPOINT", endpoint}}); }, {"HF_ENDPOINT", "http"});
  }
}

TEST(HubSettings, TokenFromTheEnvironmentOrAFile) {
  const TemporaryDirectory directory;
  EXPECT_EQ(settings_with({{"HF_TOKEN", " hf_a\n"}}).token, "hf_a");
  directory.file("token", "hf_b\n");
  EXPECT_EQ(settings_with({{"HF_HOME", directory.path()}}).token, "hf_b");
  EXPECT_EQ(settings_with({{"HF_HOME", directory.path()}, {"HF_TOKEN", "hf_a"}}).token, "hf_a");
  const std::string other = directory.file("other", "hf_c");
  EXPECT_EQ(settings_with({{"HF_HOME", directory.path()}, {"HF_TOKEN_PATH", other}}).token, "hf_c");
  expect_error([] { settings_with({{"HF_TOKEN", "a\r\nX-Header: b"}}); }, {"token", "HF_TOKEN"});
}

TEST(HubSettings, Offline) {
  for (const std::string yes : {"1", "true", "ON", "yes"}) {
    EXPECT_TRUE(settings_with({{"HF_HUB_OFFLINE", yes}}).offline) << yes;
  }
  for (const std::string no : {"", "0", "false", "off"}) {
    EXPECT_FALSE(settings_with({{"HF_HUB_OFFLINE", no}}).offline) << no;
  }
  EXPECT_TRUE(settings_with({{"TRANSFORMERS_OFFLINE", "1"}}).offline);
}

}  // namespace
}  // namespace gptj::test
