#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <tuple>

#include "io/gguf_file.h"
#include "io/open_error.h"

namespace gptj::test {
namespace {

constexpr ModelShape kTiny = {.n_vocab = 8, .n_ctx = 4, .n_embd = 4, .n_head = 2, .n_layer = 1, .n_rot = 2};

const FileTensor& find(const ModelFile& model, std::string_view name) {
  for (const FileTensor& tensor : model.tensors) {
    if (tensor.name == name) return tensor;
  }
  throw std::runtime_error("no tensor " + std::string(name));
}

TEST(Gguf, Gpt2) {
  const TemporaryDirectory dir;
  for (const uint32_t version : {2u, 3u}) {
    GgufFile file = gguf_gpt2(kTiny);
    file.version = version;
    const ModelFile model = open_model_file(dir.file("m.gguf", file.bytes()));
    EXPECT_EQ(model.format, "GGUF");
    EXPECT_EQ(model.naming, Naming::gguf);
    EXPECT_EQ(*model.config, nlohmann::json({{"model_type", "gpt2"},
                                             {"vocab_size", 8},
                                             {"n_positions", 4},
                                             {"n_embd", 4},
                                             {"n_head", 2},
                                             {"n_layer", 1},
                                             {"n_inner", 16},
                                             {"activation_function", "gelu_new"},
                                             {"layer_norm_epsilon", static_cast<double>(1e-5f)},
                                             {"tie_word_embeddings", true}}));
    expect_consistent(model);
    EXPECT_EQ(model.tensors.size(), 4U + 12);
    const FileTensor& up = find(model, "blk.0.ffn_up.weight");
    EXPECT_EQ(up.shape, (std::vector<int64_t>{16, 4}));
    EXPECT_EQ(up.dtype, DType::f16);
    std::string data(up.bytes, '\0');
    up.file->read_at(up.offset, data.data(), data.size());
    EXPECT_EQ(data, file.tensor("blk.0.ffn_up.weight").data);
  }
}

TEST(Gguf, GptJ) {
  const TemporaryDirectory dir;
  const ModelFile model = open_model_file(dir.file("m", gguf_gptj(kTiny).bytes()));
  EXPECT_EQ(model.config->at("model_type"), "gptj");
  EXPECT_EQ(model.config->at("rotary_dim"), 2);
  EXPECT_EQ(model.config->at("tie_word_embeddings"), false);
  expect_consistent(model);
}

TEST(Gguf, Vocabulary) {
  const TemporaryDirectory dir;
  GgufFile file = gguf_gpt2(kTiny);
  const std::string path = dir.file("m.gguf", file.bytes());
  const Vocab vocab = open_vocab(path);
  EXPECT_EQ(vocab.tokens,
            (std::vector<std::string>{"a", "b", "ab", " ", "<|endoftext|>", "[PAD5]", "[PAD6]", "[PAD7]"}));
  EXPECT_EQ(vocab.merges, (std::vector<std::pair<int, int>>{{0, 1}}));
  EXPECT_EQ(vocab.bos, 4);
  EXPECT_EQ(vocab.eos, 4);
  ASSERT_EQ(vocab.added.size(), 1U);
  EXPECT_EQ(vocab.added[0].id, 4);
  EXPECT_FALSE(vocab.added[0].normalized);
  EXPECT_FALSE(vocab.add_prefix_space);
}

// The same tokenizer as in a Hugging Face directory.
TEST(Gguf, VocabularyOfAConverter) {
  const std::string goldens = GPTJ_TEST_DATA "/golden/";
  const Vocab found = open_vocab(goldens + "gpt2-gguf/model.gguf");
  const Vocab expected = open_vocab(goldens + "gpt2-f16");
  EXPECT_EQ(found.tokens, expected.tokens);
  EXPECT_EQ(found.merges, expected.merges);
  EXPECT_EQ(found.bos, expected.bos);
  EXPECT_EQ(found.eos, expected.eos);
  ASSERT_EQ(found.added.size(), expected.added.size());
  EXPECT_EQ(found.added[0].text, expected.added[0].text);
  EXPECT_EQ(found.added[0].normalized, expected.added[0].normalized);
}

TEST(Gguf, VocabularyAlone) {
  const TemporaryDirectory dir;
  GgufFile file = gguf_gpt2(kTiny);
  file.set("general.architecture", "any");
  file.tensors.clear();
  file.n_tensors = 0;
  EXPECT_EQ(open_vocab(dir.file("m.gguf", file.bytes())).tokens.size(), 8U);
}

TEST(Gguf, VocabularyWithLessAndMore) {
  const TemporaryDirectory dir;
  GgufFile file = gguf_gpt2(kTiny);
  for (const char* key : {"token_type", "bos_token_id", "eos_token_id", "pre"}) {
    file.erase(std::string("tokenizer.ggml.") + key);
  }
  file.pairs.push_back({"tokenizer.ggml.add_space_prefix", 7, "\x01"});
  file.n_keys = file.pairs.size();
  const Vocab vocab = open_vocab(dir.file("m.gguf", file.bytes()));
  EXPECT_EQ(vocab.tokens.size(), 8U);
  EXPECT_TRUE(vocab.added.empty());
  EXPECT_FALSE(vocab.bos || vocab.eos);
  EXPECT_TRUE(vocab.add_prefix_space);
}

// A user's tokens stand as they are, whatever their characters would mean in the alphabet for bytes.
TEST(Gguf, UserDefinedTokens) {
  const TemporaryDirectory dir;
  GgufFile file = gguf_gpt2(kTiny);
  std::string types = file.pair("tokenizer.ggml.token_type").value;
  types[4 + 8 + 3 * 4] = 4;
  file.pair("tokenizer.ggml.token_type").value = types;
  const Vocab vocab = open_vocab(dir.file("m.gguf", file.bytes()));
  EXPECT_EQ(vocab.tokens[3], "\xc4\xa0");
  ASSERT_EQ(vocab.added.size(), 2U);
  EXPECT_EQ(vocab.added[0].id, 3);
  EXPECT_TRUE(vocab.added[0].normalized);
}

TEST(Gguf, TypesThatBecomeOthers) {
  const TemporaryDirectory dir;
  ModelShape shape = kTiny;
  shape.n_embd = 64;
  GgufFile file = gguf_gpt2(shape);
  const std::tuple<uint32_t, size_t, DType> types[] = {
      {10, 84, DType::q8_0},  {11, 110, DType::q8_0},    {12, 144, DType::q4_1}, {13, 176, DType::q5_1},
      {14, 210, DType::q8_0}, {20, 8 * 18, DType::q8_0}, {23, 136, DType::q8_0}};
  for (const auto& [type, block_bytes, dtype] : types) {
    GgufTensor& down = file.tensor("blk.0.ffn_down.weight");  // [64, 256]
    down.type = type;
    file.tensors.erase(file.tensors.begin() + 13, file.tensors.end());  // what follows would lie elsewhere
    file.n_tensors = file.tensors.size();
    down.data.assign(64 * block_bytes, '\1');
    const ModelFile model = open_model_file(dir.file("m.gguf", file.bytes()));
    const FileTensor& found = find(model, "blk.0.ffn_down.weight");
    ASSERT_NE(found.encoding, nullptr);
    EXPECT_EQ(found.encoding->ggml_type, static_cast<int>(type));
    EXPECT_EQ(found.type(), found.encoding->name);
    EXPECT_EQ(found.dtype, dtype);
    EXPECT_EQ(found.bytes, 64 * block_bytes);
  }
}

TEST(Gguf, TypesThatAreNotRead) {
  const TemporaryDirectory dir;
  GgufFile file = gguf_gpt2(kTiny);
  file.tensor("output_norm.bias").type = 19;
  file.tensor("output_norm.weight").type = 77;
  const ModelFile model = open_model_file(dir.file("m.gguf", file.bytes()));
  ASSERT_EQ(model.unread.size(), 2U);
  EXPECT_EQ(model.unread[0].type, "type 77");
  EXPECT_EQ(model.unread[1].type, "iq1_s");
  EXPECT_EQ(model.unread[1].name, "output_norm.bias");
  EXPECT_EQ(model.config->at("tie_word_embeddings"), true);
  file.add({"output.weight", {4, 8}, 16, 0, std::string(32, '\0')});
  EXPECT_EQ(open_model_file(dir.file("m.gguf", file.bytes())).config->at("tie_word_embeddings"), false);
  file.tensor("token_embd.weight").type = 16;
  expect_open_error(dir.file("m.gguf", file.bytes()), {"token_embd.weight", "iq2_xxs", "not read"});
}

TEST(Gguf, OtherAlignment) {
  const TemporaryDirectory dir;
  GgufFile file = gguf_gpt2(kTiny);
  file.set("general.alignment", 8);  // 32 is a multiple of it, but the data may begin earlier
  std::string bytes = file.header();
  const size_t used = file.sections().at(file.sections().size() - file.tensors.size() - 2);
  bytes.resize((used + 7) / 8 * 8);
  for (const GgufTensor& tensor : file.tensors) {
    bytes += tensor.data;
    bytes.resize(bytes.size() + (32 - tensor.data.size() % 32) % 32);
  }
  const ModelFile model = open_model_file(dir.file("m.gguf", bytes));
  EXPECT_EQ(find(model, "token_embd.weight").offset, (used + 7) / 8 * 8);
}

TEST(Gguf, OtherArchitecturesAreNamed) {
  const TemporaryDirectory dir;
  GgufFile file = gguf_gpt2(kTiny);
  file.set("general.architecture", "llama");
  expect_open_error(dir.file("m.gguf", file.bytes()), {"general.architecture", "gptj or gpt2", "'llama'"});
  file.set("general.architecture", "gpt2");
  file.set("tokenizer.ggml.model", "llama");
  expect_open_error(dir.file("m.gguf", file.bytes()), {"tokenizer.ggml.model", "gpt2", "'llama'"});
  file.set("tokenizer.ggml.model", "gpt2");
  file.set("tokenizer.ggml.pre", "llama-bpe");
  expect_open_error(dir.file("m.gguf", file.bytes()), {"tokenizer.ggml.pre", "'llama-bpe'"});
}

TEST(Gguf, OtherVersionsAreNamed) {
  const TemporaryDirectory dir;
  const std::pair<uint32_t, std::string> cases[] = {{1, "August 2023"},
                                                    {0, "found 0"},
                                                    {4, "found 4"},
                                                    {0x03000000, "big-endian"},
                                                    {0xffffffff, "version"}};
  for (const auto& [version, word] : cases) {
    GgufFile file = gguf_gpt2(kTiny);
    file.version = version;
    expect_open_error(dir.file("m.gguf", file.bytes()), {"GGUF", word});
  }
}

// --- files in several parts ----------------------------------------------------------------------------------

/// gguf_gpt2 in three parts as llama.cpp's gguf-split writes it, under `dir`. Returns the first one's path.
std::vector<GgufFile> three_parts() {
  const GgufFile whole = gguf_gpt2(kTiny);
  std::vector<GgufFile> parts(3);
  parts[0].pairs = whole.pairs;
  for (size_t i = 0; i < whole.tensors.size(); ++i) parts[i / 6].add(whole.tensors[i]);
  for (uint64_t number = 0; number < 3; ++number) {
    GgufFile& part = parts[number];
    part.pairs.push_back({"split.no", 2, gguf_number(number, 2)});
    part.pairs.push_back({"split.count", 2, gguf_number(3, 2)});
    part.pairs.push_back({"split.tensors.count", 5, gguf_number(whole.tensors.size(), 4)});
    part.n_keys = part.pairs.size();
  }
  return parts;
}

std::string part_name(size_t number) {
  return "m-0000" + std::to_string(number + 1) + "-of-00003.gguf";
}

std::string write_parts(const TemporaryDirectory& dir, const std::vector<GgufFile>& parts) {
  for (size_t i = 0; i < parts.size(); ++i) dir.file(part_name(i), parts[i].bytes());
  return dir / part_name(0);
}

TEST(GgufParts, AreOneModel) {
  const TemporaryDirectory dir;
  const ModelFile model = open_model_file(write_parts(dir, three_parts()));
  EXPECT_EQ(model.files.size(), 3U);
  EXPECT_EQ(model.tensors.size(), 16U);
  EXPECT_EQ(find(model, "output_norm.bias").file, model.files[2].get());
  EXPECT_EQ(model.vocab.tokens.size(), 8U);
  expect_consistent(model);
  expect_open_error(dir / part_name(1), {"part 2 of 3", "name the first", "m-00001-of-00003.gguf"});
}

TEST(GgufParts, MissingOrMixedUp) {
  const TemporaryDirectory dir;
  const std::vector<GgufFile> parts = three_parts();
  const std::string first = write_parts(dir, parts);
  std::filesystem::remove(dir / part_name(1));
  EXPECT_NE(open_error(first).find(part_name(1)), std::string::npos);
  dir.file(part_name(1), parts[2].bytes());
  EXPECT_NE(open_error(first).find("split.no"), std::string::npos);
  dir.file(part_name(1), gguf_gpt2(kTiny).bytes());
  EXPECT_NE(open_error(first).find("split.no: expected 1, found no such key"), std::string::npos);

  dir.file(part_name(1), parts[1].bytes());
  expect_open_error(dir.file("other.gguf", parts[0].bytes()), {"part 1 of 3", "-00001-of-00003.gguf"});
}

TEST(GgufParts, CountsThatLie) {
  const TemporaryDirectory dir;
  const std::vector<GgufFile> parts = three_parts();
  for (const char* key : {"split.no", "split.count", "split.tensors.count"}) {
    for (const uint64_t lie : {1u, 2u, 17u, 0x7fffu, 0xffffu}) {
      for (size_t i = 0; i < 2; ++i) {
        std::vector<GgufFile> lying = parts;
        std::string& value = lying[i].pair(key).value;
        const std::string number = gguf_number(lie, value.size());
        if (number == value) continue;
        value = number;
        // Only the first file's count of tensors is looked at, as in llama.cpp.
        const bool matters = i == 0 || std::string_view(key) != "split.tensors.count";
        EXPECT_EQ(open_error(write_parts(dir, lying)) != "", matters) << key << " = " << lie << " in " << i;
      }
    }
  }
  std::vector<GgufFile> doubled = parts;
  doubled[2].add(parts[1].tensors[0]);
  EXPECT_NE(open_error(write_parts(dir, doubled)).find("split.tensors.count"), std::string::npos);
  doubled[0].pair("split.tensors.count").value = gguf_number(17, 4);
  EXPECT_NE(open_error(write_parts(dir, doubled)).find("twice"), std::string::npos);
}

}  // namespace
}  // namespace gptj::test
