#include <sys/stat.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "io/model_files.h"
#include "io/open_error.h"

namespace gptj::test {
namespace {

namespace fs = std::filesystem;

TEST(Open, DemoModels) {
  const std::string demo = GPTJ_DEMO_MODELS;
  const ModelFile gptj = open_model_file(demo + "/gpt-j");
  EXPECT_EQ(gptj.tensors.size(), 5U + 4 * 10);
  EXPECT_EQ(gptj.config->at("model_type"), "gptj");
  EXPECT_EQ(gptj.vocab.tokens.size(), 4096U);
  expect_consistent(gptj);

  const ModelFile gpt2 = open_model_file(demo + "/gpt-2");
  EXPECT_EQ(gpt2.config->at("model_type"), "gpt2");
  EXPECT_EQ(gpt2.tensors.size(), 4U + 4 * 12);
  EXPECT_EQ(open_vocab(demo + "/gpt-2").tokens, gptj.vocab.tokens);
  expect_consistent(gpt2);
}

TEST(Open, TinyHuggingFaceDirectories) {
  const TemporaryDirectory dir;
  write_huggingface_gpt2(dir, {}, DType::bf16);
  const ModelFile gpt2 = open_model_file(dir.path());
  EXPECT_EQ(gpt2.path, dir.path());
  EXPECT_EQ(*gpt2.config, huggingface_config("gpt2", {}));
  EXPECT_EQ(gpt2.vocab.tokens.size(), 257U);
  EXPECT_EQ(gpt2.vocab.tokens[0], std::string(1, '\0'));
  EXPECT_EQ(gpt2.vocab.tokens[200], "\xc8");
  write_huggingface_gptj(dir, {}, DType::f32);
  EXPECT_EQ(open_model_file(dir.path() + "/").config->at("model_type"), "gptj");
}

TEST(Open, SafetensorsFileStandsForItsDirectory) {
  const TemporaryDirectory dir;
  write_huggingface_gptj(dir, {}, DType::f16);
  fs::rename(dir / "model.safetensors", dir / "other.safetensors");
  EXPECT_EQ(open_model_file(dir / "other.safetensors").tensors.size(), 5U + 2 * 10);
  EXPECT_EQ(open_vocab(dir / "other.safetensors").tokens.size(), 257U);
  expect_open_error(dir.path(), {"model.safetensors", "other.safetensors"});
  fs::remove(dir / "config.json");
  expect_open_error(dir / "other.safetensors", {"config.json"});
}

TEST(Open, MereFileNameLiesInTheCurrentDirectory) {
  const TemporaryDirectory dir;
  write_huggingface_gptj(dir, {}, DType::f16);
  const fs::path before = fs::current_path();
  fs::current_path(dir.path());
  const std::string message = open_error("model.safetensors");
  fs::current_path(before);
  EXPECT_EQ(message, "");
}

// The hub's cache keeps files elsewhere and links to them from a snapshot.
TEST(Open, LinksOfTheHubsCache) {
  const TemporaryDirectory blobs;
  const TemporaryDirectory snapshot;
  write_huggingface_gptj(blobs, {}, DType::f16);
  for (const char* name : {"config.json", "model.safetensors", "vocab.json", "merges.txt"}) {
    fs::create_symlink(blobs / name, snapshot / name);
  }
  EXPECT_EQ(open_error(snapshot.path()), "");
  EXPECT_EQ(open_error(snapshot / "model.safetensors"), "");
  fs::remove(blobs / "model.safetensors");
  expect_open_error(snapshot.path(), {"model.safetensors", "No such file"});
}

TEST(Open, VocabOfADirectoryWithOnlyATokenizer) {
  const TemporaryDirectory dir;
  write_tokenizer(dir, 300);
  EXPECT_EQ(open_vocab(dir.path()).tokens.size(), 300U);
  expect_open_error(dir.path(), {"config.json", "model.safetensors"});
}

TEST(Open, IncompleteDirectories) {
  const TemporaryDirectory dir;
  expect_open_error(dir.path(), {"config.json", "model.safetensors"});
  dir.file("model.safetensors", safetensors_bytes(huggingface_gptj({}, DType::f16)));
  expect_open_error(dir.path(), {"config.json"});
  dir.file("config.json", "{\"a\":1,\"a\":2}");
  expect_open_error(dir.path(), {"config.json", "twice"});
  dir.file("config.json", "[]");
  expect_open_error(dir.path(), {"config.json", "object"});
  dir.file("config.json", "");
  expect_open_error(dir.path(), {"config.json", "JSON"});
  dir.file("config.json", "{}");
  expect_open_error(dir.path(), {"vocab.json"});
  write_tokenizer(dir, 257);
  EXPECT_EQ(open_error(dir.path()), "");  // what {} lacks is for the model to say
}

TEST(Open, DirectoriesOfOtherForms) {
  for (const std::string name : {"tf_model.h5", "flax_model.msgpack"}) {
    const TemporaryDirectory dir;
    dir.file("config.json", "{}");
    dir.file(name, "x");
    expect_open_error(dir.path(), {name, "not read", "save_pretrained"});
  }
  for (const std::string name : {"model.gguf", "ggml-model.bin"}) {
    const TemporaryDirectory dir;
    dir.file(name, "x");
    expect_open_error(dir.path(), {name, "name that file"});
  }
}

TEST(Open, ForeignFiles) {
  struct Foreign {
    std::string begin;
    std::vector<std::string> words;
  };
  const std::vector<Foreign> files = {
      {"ggml", {"byte-swapped", "little-endian"}},
      {"fmgg", {"ggmf", "RWKV"}},
      {"algg", {"LoRA"}},
      {"PK\x03\x04", {"zip archive", "truncated"}},
      {"\x80\x02\x8a\x0a", {"pickle", "save_pretrained"}},
      {"version https://git-lfs.github.com/spec/v1\n", {"Git LFS", "git lfs pull"}},
      {"<!DOCTYPE html>", {"web page"}},
      {"\x1f\x8b\x08", {"gzip"}},
  };
  const TemporaryDirectory dir;
  for (const Foreign& foreign : files) {
    expect_open_error(dir.file("m.bin", foreign.begin + "rest"), foreign.words);
    write_huggingface_gptj(dir, {}, DType::f16);
    dir.file("model.safetensors", foreign.begin);
    expect_open_error(dir.path(), foreign.words);
  }
}

// The length of a header is any number: it may look like another kind's first bytes.
TEST(Open, SafetensorsThatBeginLikeAPickle) {
  const TemporaryDirectory dir;
  write_huggingface_gptj(dir, {}, DType::f16);
  const std::string header = safetensors_header({{"a", "F32", {1}, "aaaa"}}).dump();
  dir.file("model.safetensors", safetensors_bytes(header + std::string(0x280 - header.size(), ' '), "aaaa"));
  EXPECT_EQ(open_error(dir.path()), "");
  EXPECT_EQ(open_error(dir / "model.safetensors"), "");
}

TEST(Open, NoModelAtAll) {
  const TemporaryDirectory dir;
  expect_open_error(dir / "missing.bin", {"No such file"});
  expect_open_error(dir.file("empty.bin", ""), {"empty", "ggml"});
  expect_open_error(dir.file("text", "hello"), {"68 65 6c 6c 6f", "ggml", "safetensors", "directory"});
  expect_open_error(dir.file("byte", "\xff"), {"ff"});
  const std::string fifo = dir / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  expect_open_error(fifo, {"regular file"});
  EXPECT_THROW(open_vocab(dir / "missing.bin"), Error);
  EXPECT_THROW(open_vocab(fifo), Error);
  EXPECT_THROW(open_model_file(""), Error);
}

}  // namespace
}  // namespace gptj::test
