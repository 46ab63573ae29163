#include "io/shards.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "io/open_error.h"
#include "io/torch_files.h"

namespace gptj::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// What the two forms call their files.
struct Form {
  const char *name, *index, *shard, *single;
};
constexpr Form kForms[] = {
    {"Safetensors", "model.safetensors.index.json", "model-0000{}-of-00002.safetensors", "model.safetensors"},
    {"Torch", "pytorch_model.bin.index.json", "pytorch_model-0000{}-of-00002.bin", "pytorch_model.bin"},
};

/// A model in two shards.
class Shards : public testing::TestWithParam<Form> {
 protected:
  Shards() {
    dir.file("config.json", huggingface_config("gptj", {}).dump());
    write_tokenizer(dir, 257);
    const std::vector<SafeTensor> all = huggingface_gptj({}, DType::f16);
    const auto middle = all.begin() + 9;
    first.assign(all.begin(), middle);
    second.assign(middle, all.end());
    second.push_back({"transformer.h.0.attn.bias", "BOOL", {2}, "11"});
    for (const SafeTensor& tensor : first) weight_map[tensor.name] = shard(1);
    for (const SafeTensor& tensor : second) weight_map[tensor.name] = shard(2);
  }

  std::string shard(int number) const { return fmt::format(fmt::runtime(GetParam().shard), number); }

  void write_shard(const std::string& name, const std::vector<SafeTensor>& tensors) const {
    dir.file(name,
             GetParam().name == kForms[0].name ? safetensors_bytes(tensors) : torch_file(tensors).zip());
  }

  std::string write() const {
    write_shard(shard(1), first);
    write_shard(shard(2), second);
    return write_index(json{{"metadata", {{"total_size", 1}}}, {"weight_map", weight_map}}.dump());
  }

  std::string write_index(const std::string& text) const {
    dir.file(GetParam().index, text);
    return dir.path();
  }

  TemporaryDirectory dir;
  std::vector<SafeTensor> first, second;
  json weight_map;
};

TEST_P(Shards, AreOneModel) {
  const ModelFile model = open_model_file(write());
  EXPECT_EQ(model.path, dir.path());
  EXPECT_EQ(model.files.size(), 2U);
  ASSERT_EQ(model.tensors.size(), first.size() + second.size() - 1);
  EXPECT_EQ(model.unread.size(), 1U);
  expect_consistent(model);
  for (size_t i = 0; i < model.tensors.size(); ++i) {
    const SafeTensor& expected = i < first.size() ? first[i] : second[i - first.size()];
    EXPECT_EQ(model.tensors[i].name, expected.name);
    EXPECT_EQ(model.tensors[i].file, model.files[i < first.size() ? 0 : 1].get());
  }
}

TEST_P(Shards, EachStandsForAll) {
  write();
  const ModelFile model = open_model_file(dir / shard(2));
  EXPECT_EQ(model.path, dir / shard(2));
  EXPECT_EQ(model.tensors.size(), first.size() + second.size() - 1);
  // A file that the index does not name stands for itself.
  write_shard("other.bin", first);
  EXPECT_EQ(open_model_file(dir / "other.bin").tensors.size(), first.size());
}

TEST_P(Shards, TheIndexStandsForAll) {
  const std::string index = write() + "/" + GetParam().index;
  const ModelFile model = open_model_file(index);
  EXPECT_EQ(model.path, index);
  EXPECT_EQ(model.tensors.size(), first.size() + second.size() - 1);
  EXPECT_EQ(open_vocab(index).tokens, model.vocab.tokens);
  // That which was named, whatever else is there.
  write_shard(GetParam().single, first);
  EXPECT_EQ(open_model_file(index).tensors.size(), first.size() + second.size() - 1);
  fs::remove(dir / "config.json");
  expect_open_error(index, {GetParam().index, "config.json"});
}

TEST_P(Shards, OneFileComesBeforeThem) {
  write();
  write_shard(GetParam().single, first);
  EXPECT_EQ(open_model_file(dir.path()).tensors.size(), first.size());
}

TEST_P(Shards, MayBeLinksToTheHubsBlobs) {
  write();
  const TemporaryDirectory snapshot;
  for (const fs::directory_entry& entry : fs::directory_iterator(dir.path())) {
    fs::create_symlink(entry.path(), snapshot / entry.path().filename().native());
  }
  EXPECT_EQ(open_error(snapshot.path()), "");
  EXPECT_EQ(open_error(snapshot / shard(1)), "");
  fs::remove(dir / shard(2));
  expect_open_error(snapshot.path(), {shard(2), "No such file"});
}

TEST_P(Shards, OtherThingsInPlaceOfFiles) {
  write();
  for (const std::string& name : {shard(2), std::string(GetParam().index)}) {
    const std::string path = dir / name, aside = dir / "aside";
    fs::rename(path, aside);
    expect_open_error(dir.path(), {});  // nothing
    fs::create_directory(path);
    expect_open_error(dir.path(), {name, "a directory"});
    fs::remove(path);
    fs::create_symlink("/", path);
    expect_open_error(dir.path(), {name, "a directory"});
    fs::remove(path);
    fs::create_symlink("/dev/zero", path);
    expect_open_error(dir.path(), {name, "regular file"});
    fs::remove(path);
    fs::create_symlink(path, path);
    expect_open_error(dir.path(), {name, "symbolic links"});
    fs::remove(path);
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    expect_open_error(dir.path(), {name, "regular file"});
    fs::remove(path);
    std::ofstream(path).close();
    expect_open_error(dir.path(), {name});
    fs::remove(path);
    fs::rename(aside, path);
  }
  EXPECT_EQ(open_error(dir.path()), "");
}

TEST_P(Shards, NamesOnlyOfFilesBesideTheIndex) {
  write();
  fs::create_directory(dir / "sub");
  write_shard("sub/" + shard(2), second);
  const std::string absolute = dir / shard(2), inside = "sub/" + shard(2);
  const std::string through = "../" + fs::path(dir.path()).filename().native() + "/" + shard(2);
  for (const std::string& name :
       {inside, through, absolute, "./" + shard(2), std::string(".."), std::string("."), std::string(),
        std::string("a\\b"), shard(2) + std::string(1, '\0') + "x", std::string("/dev/stdin"),
        std::string("~/x/")}) {
    weight_map["lm_head.bias"] = name;
    expect_open_error(write(), {GetParam().index, "weight_map", "names of files beside it"});
  }
  weight_map["lm_head.bias"] = "~";
  expect_open_error(write(), {"only in '~'"});  // a name as any other
}

TEST_P(Shards, IndicesThatLie) {
  write();
  const auto expect_index_error = [&](const std::string& text, std::vector<std::string> words) {
    words.push_back(GetParam().index);
    SCOPED_TRACE(text);
    expect_open_error(write_index(text), words);
  };
  for (const std::string text : {"", "{", "[]", "7", "{}{}", "\xff"}) expect_index_error(text, {"JSON"});
  expect_index_error("{}", {"weight_map", "null"});
  for (const std::string map : {"null", "[]", "7", "{}", "\"x\""}) {
    expect_index_error("{\"weight_map\":" + map + "}", {"weight_map"});
  }
  for (const std::string value : {"null", "[]", "7", "{}", "true"}) {
    expect_index_error("{\"weight_map\":{\"w\\u001b\":" + value + "}}", {"'w\\x1b'", "a file's name"});
  }
  expect_index_error(R"({"weight_map":{"w":"a"},"weight_map":{"w":"b"}})", {"twice"});
  expect_index_error(R"({"weight_map":{"w":"a","w":"b"}})", {"'w'", "twice"});
  expect_index_error("{\"weight_map\":" + std::string(10'000, '['), {"nested"});

  weight_map["no.such.tensor"] = shard(1);
  expect_open_error(write(), {GetParam().index, "'no.such.tensor'", shard(1), "none"});
  weight_map.erase("no.such.tensor");
  weight_map["lm_head.bias"] = shard(1);
  expect_open_error(write(), {GetParam().index, "'lm_head.bias'", "only in", shard(1), shard(2)});
  weight_map["lm_head.bias"] = "missing.bin";
  expect_open_error(write(), {"missing.bin"});
  weight_map["lm_head.bias"] = "config.json";
  expect_open_error(write(), {"config.json"});
  weight_map["lm_head.bias"] = GetParam().index;
  expect_open_error(write(), {GetParam().index});
}

TEST_P(Shards, NoTensorIsInTwo) {
  first.push_back(second.back());  // of a type that is not read
  expect_open_error(write(), {GetParam().index, "attn.bias", shard(1), shard(2)});
  first.pop_back();
  first.push_back(second.front());
  expect_open_error(write(), {GetParam().index, second.front().name, shard(1), shard(2)});
  weight_map.erase(second.front().name);  // and the index does not know it
  expect_open_error(write(), {GetParam().index, second.front().name, shard(2)});
  first.pop_back();
  EXPECT_EQ(open_error(write()), "");  // a tensor that the index forgot is there all the same
}

TEST_P(Shards, DamagedShards) {
  write();
  for (const std::string& name : {shard(1), shard(2)}) {
    const auto size = fs::file_size(dir / name);
    for (const size_t cut : {size_t{0}, size_t{7}, size_t{100}, size_t{size - 1}}) {
      write();
      fs::resize_file(dir / name, cut);
      expect_open_error(dir.path(), {name});
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, Shards, testing::ValuesIn(kForms),
                         [](const auto& test) { return test.param.name; });

TEST(Weights, AreTakenInTheOrderOfTransformers) {
  const TemporaryDirectory dir;
  dir.file("config.json", huggingface_config("gptj", {}).dump());
  write_tokenizer(dir, 257);
  const auto tensors = [](const std::string& name) {
    return std::vector<SafeTensor>{{name, "F32", {1}, "1234"}};
  };
  const auto index = [](const std::string& name, const std::string& shard) {
    return json{{"weight_map", {{name, shard}}}}.dump();
  };
  dir.file("pytorch_model.bin.index.json", index("torch index", "a.bin"));
  dir.file("a.bin", torch_file(tensors("torch index")).old());
  EXPECT_EQ(open_model_file(dir.path()).tensors.at(0).name, "torch index");
  dir.file("pytorch_model.bin", torch_file(tensors("torch")).zip());
  EXPECT_EQ(open_model_file(dir.path()).tensors.at(0).name, "torch");
  dir.file("model.safetensors.index.json", index("safetensors index", "b.safetensors"));
  dir.file("b.safetensors", safetensors_bytes(tensors("safetensors index")));
  EXPECT_EQ(open_model_file(dir.path()).tensors.at(0).name, "safetensors index");
  dir.file("model.safetensors", safetensors_bytes(tensors("safetensors")));
  EXPECT_EQ(open_model_file(dir.path()).tensors.at(0).name, "safetensors");
}

}  // namespace
}  // namespace gptj::test
