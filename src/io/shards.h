#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "io/model_file.h"

namespace gptj {

/// Recognised by its name, since its content is JSON like that of many files.
bool is_shard_index(std::string_view path);

/// An index of weights in several files, their shards: model.safetensors.index.json or pytorch_model.bin.index.json.
class ShardIndex {
 public:
  /// Throws Error, also if a shard is not the mere name of a file beside the index.
  explicit ShardIndex(const std::string& path);

  bool has_shard(const std::string& name) const { return shards_.contains(name); }

  /// Adds all shards and their tensors to the model. Throws Error if a tensor of the index is not in its shard, or is
  /// in several.
  void read(ModelFile& model) const;

 private:
  void check_name(const std::string& shard) const;
  void check_place(const std::string& tensor, const std::string& shard) const;

  const std::string path_;
  std::map<std::string, std::string> shard_of_;  // by tensor
  std::set<std::string> shards_;
};

}  // namespace gptj
