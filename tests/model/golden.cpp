#include "model/golden.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/file.h"

namespace gptj::test {
namespace {

namespace fs = std::filesystem;

template <typename T>
std::vector<T> read_array(const InputFile& file, uint64_t begin, uint64_t end) {
  std::vector<T> out((end - begin) / sizeof(T));
  file.read_at(begin, out.data(), out.size() * sizeof(T));
  return out;
}

/// safetensors: the length of the header (u64), the header, the data that its offsets count from.
void read_expected(const InputFile& file, Golden& golden) {
  uint64_t length = 0;
  file.read_at(0, &length, sizeof length);
  std::string header(length, '\0');
  file.read_at(sizeof length, header.data(), length);
  const uint64_t data = sizeof length + length;
  const nlohmann::json entries = nlohmann::json::parse(header);
  for (const auto& [name, entry] : entries.items()) {
    if (name == "__metadata__") continue;
    const uint64_t begin = data + entry["data_offsets"][0].get<uint64_t>();
    const uint64_t end = data + entry["data_offsets"][1].get<uint64_t>();
    if (entry["dtype"] == "F32") {
      golden.tensors[name] = read_array<float>(file, begin, end);
    } else if (name == "ids") {
      golden.ids = read_array<int>(file, begin, end);
    } else if (name == "greedy") {
      golden.greedy = read_array<int>(file, begin, end);
    } else {
      throw std::runtime_error(file.path() + ": unknown tensor " + name);
    }
  }
}

std::string model_of(const std::string& name, const fs::path& directory) {
  constexpr std::string_view kDemo = "demo-";
  if (name.starts_with(kDemo)) return std::string(GPTJ_DEMO_MODELS "/") + name.substr(kDemo.size());
  for (const char* file : {"ggml-model.bin", "model.gguf", "model-00001-of-00003.gguf"}) {
    if (fs::exists(directory / file)) return directory / file;
  }
  return directory;
}

}  // namespace

std::vector<Golden> goldens() {
  std::vector<Golden> all;
  for (const fs::directory_entry& entry : fs::directory_iterator(GPTJ_TEST_DATA "/golden")) {
    Golden golden;
    golden.name = entry.path().filename();
    golden.model = model_of(golden.name, entry.path());
    read_expected(InputFile(entry.path() / "expected.safetensors"), golden);
    all.push_back(std::move(golden));
  }
  std::sort(all.begin(), all.end(), [](const Golden& a, const Golden& b) { return a.name < b.name; });
  return all;
}

double relative_error(const std::vector<float>& found, const std::vector<float>& expected) {
  if (found.size() != expected.size() || expected.empty()) return INFINITY;
  double error = 0, largest = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double difference = std::abs(static_cast<double>(found[i]) - static_cast<double>(expected[i]));
    if (std::isnan(difference)) return INFINITY;
    error = std::max(error, difference);
    largest = std::max(largest, std::abs(static_cast<double>(expected[i])));
  }
  return error / largest;
}

}  // namespace gptj::test
