#pragma once

#include <map>
#include <string>
#include <vector>

namespace gptj::test {

/// A model and what the reference computes of it: tests/data/golden/<name>/expected.safetensors, which
/// tools/README.md describes.
struct Golden {
  std::string name;
  std::string model;  // path
  std::vector<int> ids;
  std::vector<int> greedy;  // only of the demo models
  std::map<std::string, std::vector<float>> tensors;
};

/// All of them.
std::vector<Golden> goldens();

/// The largest difference, relative to the largest expected value.
double relative_error(const std::vector<float>& found, const std::vector<float>& expected);

}  // namespace gptj::test
