#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "io/model_file.h"

namespace gptj {

/// By its name, since what is in it is JSON as much else.
bool is_shard_index(std::string_view path);

/// An index of weights in several files, their shards: model.safetensors.index.json or pytorch_model.bin.index.json.
class ShardIndex {
 public:
  /// Throws Error, also for shards that are not mere names of files beside the index.
  explicit ShardIndex(const std::string& path);

  bool has_shard(const std::string& name) const { return shards_.contains(name); }

  /// Adds all shards and their tensors to the model's. Throws Error unless each tensor of the index is where that says,
  /// and no tensor is in two shards.
  void read(ModelFile& model) const;

 private:
  void check_name(const std::string& shard) const;
  void check_place(const std::string& tensor, const std::string& shard) const;

  const std::string path_;
  std::map<std::string, std::string> shard_of_;  // by tensor
  std::set<std::string> shards_;
};

}  // namespace gptj
