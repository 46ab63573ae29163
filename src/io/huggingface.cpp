#include "io/huggingface.h"

#include <filesystem>

#include "base/error.h"
#include "io/safetensors.h"
#include "text/json.h"
#include "text/vocab_files.h"

namespace gptj {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfig = "config.json";
constexpr const char* kWeights = "model.safetensors";

// What else directories keep weights in.
constexpr std::string_view kUnreadWeights[] = {
    "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json", "tf_model.h5",
    "flax_model.msgpack",
};

bool is_there(const fs::path& path) {
  std::error_code ignored;  // opening will tell the reason, also of a link that leads nowhere
  return fs::exists(fs::symlink_status(path, ignored));
}

[[noreturn]] void fail_without_weights(const fs::path& directory) {
  for (const std::string_view name : kUnreadWeights) {
    if (!is_there(directory / name)) continue;
    fail(
        "{}: expected {}, found {}, which this version does not read; save the model again in one file "
        "(transformers: save_pretrained(..., max_shard_size='100GB'))",
        quoted(directory.native()), kWeights, name);
  }
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, ignored)) {
    const std::string extension = entry.path().extension();
    if (extension != ".gguf" && extension != ".bin" && extension != ".safetensors") continue;
    fail("{}: expected {}, found {}; name that file itself if it is the model", quoted(directory.native()),
         kWeights, quoted(entry.path().filename().native()));
  }
  fail("{}: expected a directory with {} and {}, found no {}", quoted(directory.native()), kConfig, kWeights,
       kWeights);
}

ModelFile open_parts(const std::string& path, const fs::path& directory, const fs::path& weights) {
  const fs::path config = directory / kConfig;
  if (!is_there(config)) {
    fail("{}: expected {} beside {}, found none", quoted(path), kConfig, quoted(weights.filename().native()));
  }
  ModelFile model;
  model.path = path;
  model.format = "safetensors";
  model.naming = Naming::huggingface;
  model.config = read_json_object(config);
  model.files.push_back(std::make_unique<InputFile>(weights));
  read_safetensors(*model.files.back(), model);
  model.vocab = read_vocab_directory(directory);
  return model;
}

}  // namespace

ModelFile open_huggingface_directory(const std::string& directory) {
  const fs::path weights = fs::path(directory) / kWeights;
  if (!is_there(weights)) fail_without_weights(directory);
  return open_parts(directory, directory, weights);
}

ModelFile open_safetensors_file(const std::string& path) {
  return open_parts(path, directory_of(path), path);
}

std::string directory_of(const std::string& path) {
  const fs::path parent = fs::path(path).parent_path();
  return parent.empty() ? "." : parent.native();
}

}  // namespace gptj
