#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/failure.h"
#include "gptj/hub.h"
#include "hub/hub_server.h"
#include "io/model_files.h"

namespace gptj::test {

/// Bytes that differ wherever pieces could be confused.
inline std::string some_bytes(size_t n) {
  std::string bytes;
  for (size_t i = 0; i < n; ++i) bytes += static_cast<char>((i * 2654435761U) >> 13);
  return bytes;
}

inline std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A hub with the model org/name, whose weights are "large", and an empty cache.
class Pulling : public testing::Test {
 protected:
  Pulling() : weights(some_bytes(10'500)), settings(hub.settings(directory.path() + "/hub")) {
    hub.add("org/name", "main", "config.json", "{}");
    hub.add("org/name", "main", "vocab.json", "{\"a\":0}");
    hub.add("org/name", "main", "README.md", "words");
    hub.add("org/name", "main", "model.safetensors", weights, true);
    hub.add("org/name", "main", "tf_model.h5", "not wanted", true);
  }

  PulledModel pull(PullOptions options = {}) {
    if (!options.notice) options.notice = [this](const std::string& text) { notices.push_back(text); };
    return pull_model("org/name", options, settings);
  }

  std::filesystem::path folder() const { return std::filesystem::path(settings.cache) / "models--org--name"; }

  /// The files of blobs/ that are not complete.
  std::vector<std::filesystem::path> incomplete() const {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder() / "blobs")) {
      if (entry.path().extension() == ".incomplete") found.push_back(entry.path());
    }
    return found;
  }

  /// All arrived, and nothing else is left.
  void expect_complete(const PulledModel& model) {
    EXPECT_EQ(read_bytes(std::filesystem::path(model.path) / "model.safetensors"), weights);
    EXPECT_EQ(read_bytes(std::filesystem::path(model.path) / "config.json"), "{}");
    EXPECT_TRUE(incomplete().empty());
  }

  TemporaryDirectory directory;
  std::string weights;
  std::vector<std::string> notices;
  HubServer hub;
  HubSettings settings;
};

}  // namespace gptj::test
