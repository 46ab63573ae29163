#include "io/huggingface.h"

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "io/shards.h"
#include "io/weights_file.h"
#include "text/json.h"
#include "text/vocab_files.h"

namespace gptj {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfig = "config.json";

/// The files that may have the weights: the first that is there counts, as in transformers.
struct WeightsFile {
  std::string_view name;
  bool is_index;
};
constexpr WeightsFile kWeights[] = {
    {"model.safetensors", false},
    {"model.safetensors.index.json", true},
    {"pytorch_model.bin", false},
    {"pytorch_model.bin.index.json", true},
};
constexpr std::string_view kExpected = "model.safetensors or pytorch_model.bin";

/// Other files in which directories keep weights.
constexpr std::string_view kUnreadWeights[] = {"tf_model.h5", "flax_model.msgpack"};

bool is_there(const fs::path& path) {
  std::error_code ignored;  // opening will tell the reason, also of a link that leads nowhere
  return fs::exists(fs::symlink_status(path, ignored));
}

[[noreturn]] void fail_without_weights(const fs::path& directory) {
  for (const std::string_view name : kUnreadWeights) {
    if (!is_there(directory / name)) continue;
    fail(
        "{}: expected {}, found {}, which this version does not read; save the model again (transformers: "
        "save_pretrained)",
        quoted(directory.native()), kExpected, name);
  }
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, ignored)) {
    const std::string extension = entry.path().extension();
    if (extension != ".gguf" && extension != ".bin" && extension != ".safetensors") continue;
    fail("{}: expected {}, found {}; name that file itself if it is the model", quoted(directory.native()),
         kExpected, quoted(entry.path().filename().native()));
  }
  fail("{}: expected a directory with {} and {}, found neither of these weights", quoted(directory.native()),
       kConfig, kExpected);
}

/// Everything but the weights.
ModelFile open_without_weights(const std::string& path, const fs::path& directory, std::string_view weights) {
  const fs::path config = directory / kConfig;
  if (!is_there(config)) {
    fail("{}: expected {} beside {}, found none", quoted(path), kConfig, quoted(weights));
  }
  ModelFile model;
  model.path = path;
  model.config_path = config;
  model.naming = Naming::huggingface;
  model.config = read_json_object(config);
  model.vocab = read_vocab_directory(directory);
  return model;
}

}  // namespace

ModelFile open_huggingface_directory(const std::string& directory) {
  const auto* weights = std::find_if(std::begin(kWeights), std::end(kWeights), [&](const WeightsFile& known) {
    return is_there(fs::path(directory) / known.name);
  });
  if (weights == std::end(kWeights)) fail_without_weights(directory);
  ModelFile model = open_without_weights(directory, directory, weights->name);
  const fs::path path = fs::path(directory) / weights->name;
  if (weights->is_index) {
    ShardIndex(path).read(model);
  } else {
    read_weights_file(path, model);
  }
  return model;
}

ModelFile open_weights_file(const std::string& path) {
  const fs::path directory = directory_of(path), name = fs::path(path).filename();
  ModelFile model = open_without_weights(path, directory, name.native());
  if (is_shard_index(path)) {
    ShardIndex(path).read(model);
    return model;
  }
  for (const WeightsFile& known : kWeights) {
    if (!known.is_index || !is_there(directory / known.name)) continue;
    const ShardIndex index(directory / known.name);
    if (!index.has_shard(name)) continue;
    index.read(model);
    return model;
  }
  read_weights_file(path, model);
  return model;
}

std::vector<std::string> ModelFile::sources() const {
  std::vector<std::string> paths = {path};
  for (const auto& file : files) paths.push_back(file->path());
  if (config_path.empty()) return paths;
  paths.push_back(config_path);
  const fs::path directory = directory_of(config_path);
  for (const WeightsFile& weights : kWeights) paths.push_back(directory / weights.name);
  for (const std::string_view name : kVocabFiles) paths.push_back(directory / name);
  return paths;
}

std::string directory_of(const std::string& path) {
  const fs::path parent = fs::path(path).parent_path();
  return parent.empty() ? "." : parent.native();
}

}  // namespace gptj
