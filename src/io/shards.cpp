#include "io/shards.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "io/huggingface.h"
#include "io/weights_file.h"
#include "text/json.h"
#include "text/json_file.h"

namespace gptj {

bool is_shard_index(std::string_view path) {
  return path.ends_with(".index.json");
}

ShardIndex::ShardIndex(const std::string& path) : path_(path) {
  const JsonFile index{path, *read_json_object(path)};
  const nlohmann::json& map = member(index.root, "weight_map");
  if (!map.is_object() || map.empty()) index.fail("weight_map", "the shards of all tensors, by name", map);
  for (const auto& [tensor, shard] : map.items()) {
    if (!shard.is_string()) index.fail(fmt::format("weight_map: {}", quoted(tensor)), "a file's name", shard);
    const auto& name = shard.get_ref<const std::string&>();
    check_name(name);
    shard_of_.emplace(tensor, name);
    shards_.insert(name);
  }
}

void ShardIndex::check_name(const std::string& shard) const {
  constexpr std::string_view kSeparators("/\\\0", 3);
  if (!shard.empty() && shard != "." && shard != ".." &&
      shard.find_first_of(kSeparators) == std::string::npos)
    return;
  fail("{}: weight_map: expected names of files beside it, found {}", quoted(path_), quoted(shard));
}

void ShardIndex::check_place(const std::string& tensor, const std::string& shard) const {
  const auto expected = shard_of_.find(tensor);
  if (expected == shard_of_.end() || expected->second == shard) return;
  fail("{}: tensor {}: expected only in {}, found in {} too", quoted(path_), quoted(tensor),
       quoted(expected->second), quoted(shard));
}

void ShardIndex::read(ModelFile& model) const {
  std::set<std::string> found;
  const auto add = [&](const std::string& tensor, const std::string& shard) {
    check_place(tensor, shard);
    if (found.insert(tensor).second) return;
    fail("{}: tensor {}: expected in one shard, found in {} too", quoted(path_), quoted(tensor),
         quoted(shard));
  };
  for (const std::string& shard : shards_) {
    const size_t n_tensors = model.tensors.size(), n_unread = model.unread.size();
    read_weights_file(directory_of(path_) + "/" + shard, model);
    for (size_t i = n_tensors; i < model.tensors.size(); ++i) add(model.tensors[i].name, shard);
    for (size_t i = n_unread; i < model.unread.size(); ++i) add(model.unread[i].name, shard);
  }
  for (const auto& [tensor, shard] : shard_of_) {
    if (found.contains(tensor)) continue;
    fail("{}: tensor {}: expected in {}, found none there", quoted(path_), quoted(tensor), quoted(shard));
  }
}

}  // namespace gptj
