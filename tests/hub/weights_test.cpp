#include "hub/weights.h"

#include <gtest/gtest.h>

namespace gptj::test {
namespace {

using Files = std::vector<std::string>;

TEST(Weights, SafetensorsBeforeTorchAndNotBoth) {
  const Files both = {"config.json", "flax_model.msgpack", "model.safetensors", "pytorch_model.bin",
                      "tf_model.h5"};
  EXPECT_EQ(weights_among(both).form, "safetensors");
  EXPECT_EQ(weights_among(both).files, Files{"model.safetensors"});
  const Files torch = {"config.json", "pytorch_model.bin", "rust_model.ot"};
  EXPECT_EQ(weights_among(torch).form, "torch");
  EXPECT_EQ(weights_among(torch).files, Files{"pytorch_model.bin"});
}

TEST(Weights, PartsComeWithTheirIndex) {
  const Files parts = {"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
                       "model-a-of-b.safetensors", "model.safetensors.index.json",
                       "other-00001-of-00002.safetensors"};
  const Files expected = {parts[3], parts[0], parts[1]};
  EXPECT_EQ(weights_among(parts).files, expected);
  const Files torch = {"pytorch_model-00001-of-00001.bin", "pytorch_model.bin.index.json"};
  EXPECT_EQ(weights_among(torch).files, (Files{torch[1], torch[0]}));
}

TEST(Weights, FilesThatHoldEverything) {
  RepositoryWeights found = weights_among({"README.md", "gpt2.Q4_0.gguf"});
  EXPECT_EQ(found.form, "gguf");
  EXPECT_TRUE(found.alone);
  EXPECT_EQ(found.files, Files{"gpt2.Q4_0.gguf"});
  found = weights_among({"a.Q4_0.gguf", "a.Q8_0.gguf", "b-00001-of-00002.gguf"});
  EXPECT_EQ(found.files, Files{"a.Q4_0.gguf"});
  EXPECT_EQ(found.others, (Files{"a.Q8_0.gguf", "b-00001-of-00002.gguf"}));
  found = weights_among({"b-00001-of-00002.gguf", "b-00002-of-00002.gguf"});
  EXPECT_EQ(found.files.size(), 2U);
  EXPECT_TRUE(found.others.empty());
  EXPECT_EQ(weights_among({"ggml-model-q4_0.bin", "training_args.bin"}).files, Files{"ggml-model-q4_0.bin"});
}

TEST(Weights, AreNone) {
  for (const Files& files : {Files{}, Files{"config.json"}, Files{"tf_model.h5", "training_args.bin"},
                             Files{"onnx/model.onnx"}, Files{"model-00001-of-00002.safetensors"}}) {
    EXPECT_EQ(weights_among(files).form, "");
  }
}

TEST(Weights, OddNames) {
  for (const std::string name :
       {"-of-", "-of-.gguf", "--of--.gguf", "1-of-2.gguf", "x-1-of-.gguf", "a-1-of-2", ".", ""}) {
    EXPECT_EQ(with_all_parts(name, {name}), Files{name});
  }
}

TEST(Weights, WhatIsBesideThem) {
  for (const std::string file : {"config.json", "vocab.json", "merges.txt", "tokenizer.json"}) {
    EXPECT_TRUE(is_beside_weights(file)) << file;
  }
  for (const std::string file : {"README.md", "tf_model.h5", "onnx/config.json"}) {
    EXPECT_FALSE(is_beside_weights(file)) << file;
  }
}

}  // namespace
}  // namespace gptj::test
