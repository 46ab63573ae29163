#include "io/ggml.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "io/model_files.h"
#include "io/open_error.h"
#include "tensor/encodings.h"

namespace gptj::test {
namespace {

constexpr DType kGgmlTypes[] = {DType::f32,  DType::f16,  DType::q8_0, DType::q4_0,
                                DType::q4_1, DType::q5_0, DType::q5_1};

std::string read_data(const FileTensor& tensor) {
  std::string data(tensor.bytes, '\0');
  tensor.file->read_at(tensor.offset, data.data(), data.size());
  return data;
}

void expect_same_tensors(const ModelFile& model, const GgmlFile& file) {
  ASSERT_EQ(model.tensors.size(), file.tensors.size());
  for (size_t i = 0; i < file.tensors.size(); ++i) {
    const FileTensor& found = model.tensors[i];
    const GgmlTensor& written = file.tensors[i];
    EXPECT_EQ(found.name, written.name);
    EXPECT_EQ(info(found.dtype).ggml_type, written.type) << found.name;
    EXPECT_EQ(found.shape, std::vector<int64_t>(written.ne.rbegin(), written.ne.rend())) << found.name;
    EXPECT_EQ(read_data(found), written.data) << found.name;
  }
}

TEST(Ggml, ReadsGptJOfEveryType) {
  const TemporaryDirectory dir;
  for (const DType dtype : kGgmlTypes) {
    SCOPED_TRACE(info(dtype).name);
    const GgmlFile file = ggml_gptj({}, dtype);
    const ModelFile model = open_model_file(dir.file("ggml-model.bin", file.bytes()));
    expect_same_tensors(model, file);
    expect_consistent(model);
    EXPECT_EQ(model.format, "ggml");
    EXPECT_EQ(model.naming, Naming::ggml);
    EXPECT_EQ(model.vocab.tokens, file.tokens);
    const nlohmann::json config = {{"model_type", "gptj"},
                                   {"vocab_size", 257},
                                   {"n_positions", 32},
                                   {"n_embd", 32},
                                   {"n_head", 2},
                                   {"n_layer", 2},
                                   {"rotary_dim", 4},
                                   {"tie_word_embeddings", false},
                                   {"layer_norm_epsilon", 1e-5},
                                   {"activation_function", "gelu_new"}};
    EXPECT_EQ(*model.config, config);
  }
}

TEST(Ggml, ReadsGpt2OfEveryType) {
  const TemporaryDirectory dir;
  for (const DType dtype : kGgmlTypes) {
    SCOPED_TRACE(info(dtype).name);
    const GgmlFile file = ggml_gpt2({}, dtype);
    const ModelFile model = open_model_file(dir.file("ggml-model.bin", file.bytes()));
    expect_same_tensors(model, file);
    expect_consistent(model);
    EXPECT_EQ(model.config->at("model_type"), "gpt2");
    EXPECT_EQ(model.config->at("tie_word_embeddings"), true);
    EXPECT_FALSE(model.config->contains("rotary_dim"));
  }
}

TEST(Ggml, Gpt2MayHaveItsOwnHead) {
  const TemporaryDirectory dir;
  GgmlFile file = ggml_gpt2({}, DType::f16);
  GgmlTensor head = file.tensor("model/wte");
  head.name = "model/lm_head";
  file.tensors.push_back(head);
  EXPECT_EQ(open_model_file(dir.file("m.bin", file.bytes())).config->at("tie_word_embeddings"), false);
}

// A cut between two tensors must not turn GPT-J's missing head into a tied one.
TEST(Ggml, GptJIsNeverTied) {
  const TemporaryDirectory dir;
  GgmlFile file = ggml_gptj({}, DType::f16);
  file.tensors.resize(file.tensors.size() - 2);
  EXPECT_EQ(open_model_file(dir.file("m.bin", file.bytes())).config->at("tie_word_embeddings"), false);
}

TEST(Ggml, OpenVocabGivesTheSameTokens) {
  const TemporaryDirectory dir;
  const GgmlFile file = ggml_gpt2({}, DType::q4_0);
  EXPECT_EQ(open_vocab(dir.file("m.bin", file.bytes())).tokens, file.tokens);
}

// Where the numbers fit both layouts, only the tensors' names tell them apart.
TEST(Ggml, NamesDecideBetweenTheLayouts) {
  const TemporaryDirectory dir;
  ModelShape shape;
  shape.n_vocab = 2002;
  const std::string gptj =
      ggml_gptj(shape, DType::q4_0).bytes();  // ftype 2002 could be GPT-2's n_vocab again
  EXPECT_EQ(open_model_file(dir.file("m.bin", gptj)).config->at("model_type"), "gptj");
  expect_open_error(dir.file("m.bin", std::string_view(gptj).substr(0, gptj.size() - 1)), {"'lm_head.bias'"});

  shape.n_vocab = 300;
  GgmlFile gpt2 = ggml_gpt2(shape, DType::f16);
  gpt2.tokens[299] = gpt2.tokens[0];
  gpt2.tokens[0] = std::string(300, 'x');  // its length could be GPT-J's n_vocab again
  EXPECT_EQ(open_model_file(dir.file("m.bin", gpt2.bytes())).config->at("model_type"), "gpt2");
  gpt2.tensors.back().data.pop_back();
  expect_open_error(dir.file("m.bin", gpt2.bytes()), {"'model/ln_f/b'"});
}

TEST(Ggml, RefusesAnotherArchitecturesNames) {
  const TemporaryDirectory dir;
  GgmlFile file = ggml_gptj({}, DType::f32);
  file.tensors = ggml_gpt2({}, DType::f32).tensors;
  expect_open_error(dir.file("m.bin", file.bytes()), {"'transformer.wte.weight'", "gptj"});
  file = ggml_gpt2({}, DType::f32);
  file.tensors = ggml_gptj({}, DType::f32).tensors;
  expect_open_error(dir.file("m.bin", file.bytes()), {"'model/wte'", "gpt2"});
}

/// A type of an old file and what its matrices are found as.
struct OldType {
  int32_t ftype, type;
  const char* found;
  DType dtype;
};

constexpr OldType kOldTypes[] = {
    {2, 2, "q4_0, version 0", DType::q4_0},
    {3, 3, "q4_1, version 0", DType::q4_1},
    {5, 4, "q4_2", DType::f16},
    {6, 5, "q4_3", DType::f16},
    {8, 6, "q5_0, version 0", DType::q5_0},
    {9, 7, "q5_1, version 0", DType::q5_1},
    {7, 8, "q8_0, version 1", DType::q8_0},
    {1002, 2, "q4_0, version 1", DType::q4_0},
    {1003, 3, "q4_1, version 1", DType::q4_1},
    {1007, 8, "q8_0, version 1", DType::q8_0},
};

TEST(Ggml, ReadsQuantizationsOfEveryVersion) {
  const TemporaryDirectory dir;
  for (const auto& [ftype, type, found, dtype] : kOldTypes) {
    SCOPED_TRACE(found);
    for (const GgmlFile& file : {ggml_gptj({}, DType::f16), ggml_gpt2({}, DType::f16)}) {
      const ModelFile model = open_model_file(dir.file("m.bin", with_encoding(file, ftype, type).bytes()));
      expect_consistent(model);
      EXPECT_STREQ(model.tensors.front().type(), found);
      EXPECT_EQ(model.tensors.front().dtype, dtype);
    }
  }
  for (const auto& [ftype, dtype] : {std::pair{1008, DType::q5_0}, {1009, DType::q5_1}}) {  // as in version 2
    GgmlFile file = ggml_gptj({}, dtype);
    file.header.back() = ftype;
    const ModelFile model = open_model_file(dir.file("m.bin", file.bytes()));
    EXPECT_EQ(model.tensors.front().encoding, nullptr);
    EXPECT_EQ(model.tensors.front().dtype, dtype);
  }
}

TEST(Ggml, ReadsKTypes) {
  const TemporaryDirectory dir;
  const ModelShape shape = {.n_embd = 256, .n_layer = 1};
  for (const int32_t type : {10, 11, 12, 13, 14}) {
    for (const GgmlFile& file : {ggml_gptj(shape, DType::f16), ggml_gpt2(shape, DType::f16)}) {
      const ModelFile model =
          open_model_file(dir.file("m.bin", with_encoding(file, 2000 + type, type).bytes()));
      expect_consistent(model);
      EXPECT_EQ(model.tensors.front().encoding, encoding_of_ggml_type(type));
    }
  }
}

// As quantizers of 22 to 27 April 2023 did.
TEST(Ggml, TensorsMayHaveTheNumberOfTheFilesType) {
  const TemporaryDirectory dir;
  for (const auto& [ftype, type, found] : {std::tuple{5, 4, "q4_2"}, {6, 5, "q4_3"}}) {
    GgmlFile file = with_encoding(ggml_gptj({}, DType::f16), ftype, type);
    for (GgmlTensor& tensor : file.tensors) tensor.type = tensor.type == type ? ftype : tensor.type;
    EXPECT_STREQ(open_model_file(dir.file("m.bin", file.bytes())).tensors.front().type(), found);
  }
}

TEST(Ggml, RefusesTypesOfNoEra) {
  const TemporaryDirectory dir;
  const auto with_ftype = [&](int32_t ftype) {
    GgmlFile file = ggml_gptj({}, DType::q4_0);
    file.header.back() = ftype;
    return dir.file("m.bin", file.bytes());
  };
  expect_open_error(with_ftype(1005), {"ftype", "q4_2 (5)", "q4_0 (2, 1002, 2002)", "found 1005"});
  expect_open_error(with_ftype(2006), {"ftype", "q4_3 (6)", "found 2006"});
  expect_open_error(with_ftype(2015), {"ftype", "found 2015"});
  expect_open_error(with_ftype(3002), {"ftype", "found 3002", "q4_0 of version 3, newer"});
}

TEST(Ggml, TurnsTransposedMatrices) {
  const TemporaryDirectory dir;
  for (const GgmlFile& file : {ggml_gptj({}, DType::f16), ggml_gpt2({}, DType::f32)}) {
    const GgmlFile old = with_transposed(file);
    const ModelFile model = open_model_file(dir.file("m.bin", old.bytes()));
    expect_consistent(model);
    size_t n_turned = 0;
    for (size_t i = 0; i < file.tensors.size(); ++i) {
      const FileTensor& found = model.tensors[i];
      const std::vector<int32_t>& ne = file.tensors[i].ne;
      EXPECT_EQ(found.shape, std::vector<int64_t>(ne.rbegin(), ne.rend())) << found.name;
      if (found.strides.empty()) continue;
      EXPECT_EQ(found.strides, (std::vector<int64_t>{1, old.tensors[i].ne[0]})) << found.name;
      ++n_turned;
    }
    EXPECT_EQ(n_turned, file.tensors[0].name == "model/wte" ? 2U * 3 : 2U * 5);
  }
}

TEST(Ggml, TransposedMatricesWereNeverQuantized) {
  const TemporaryDirectory dir;
  const GgmlFile file = with_transposed(ggml_gptj({}, DType::q4_0));
  expect_open_error(dir.file("m.bin", file.bytes()), {"q_proj.weight", "expected f32 or f16", "found q4_0"});
}

TEST(Ggml, ReadsGgjt) {
  const TemporaryDirectory dir;
  for (const GgmlFile& file : {ggml_gptj({}, DType::f16), ggml_gpt2({}, DType::q5_1)}) {
    const GgmlFile ggjt = in_ggjt(file, 3);
    const ModelFile model = open_model_file(dir.file("m.bin", ggjt.bytes()));
    expect_same_tensors(model, ggjt);
    expect_consistent(model);
    EXPECT_EQ(model.vocab.tokens, file.tokens);
    for (const FileTensor& tensor : model.tensors) EXPECT_EQ(tensor.offset % 32, 0U) << tensor.name;
  }
}

// The first such files had no version in ftype.
TEST(Ggml, GgjtsVersionSaysThatOfQuantization) {
  const TemporaryDirectory dir;
  const GgmlFile plain = ggml_gptj({}, DType::f16);
  const auto type_of = [&](GgmlFile file, int32_t ftype, int32_t version) {
    file.header.back() = ftype;
    return std::string(open_model_file(dir.file("m.bin", in_ggjt(file, version).bytes())).tensors[0].type());
  };
  EXPECT_EQ(type_of(with_encoding(plain, 2, 2), 2, 1), "q4_0, version 0");
  EXPECT_EQ(type_of(with_encoding(plain, 1002, 2), 2, 2), "q4_0, version 1");
  EXPECT_EQ(type_of(with_encoding(plain, 1002, 2), 1002, 2), "q4_0, version 1");
  EXPECT_EQ(type_of(ggml_gptj({}, DType::q4_0), 2, 3), "q4_0");
  EXPECT_EQ(type_of(ggml_gptj({}, DType::q4_0), 2002, 3), "q4_0");
}

TEST(Ggml, SaysThatAGgjtIsProbablyLlamas) {
  const TemporaryDirectory dir;
  GgmlFile file = in_ggjt(ggml_gptj({}, DType::f16), 3);
  file.header = {32000, 4096, 256, 32, 32, 128, 2};  // whose vocabulary follows at once, without its length
  file.n_tokens = 0;
  expect_open_error(dir.file("m.bin", file.bytes()), {"n_vocab", "32000", "ggjt", "LLaMA"});
}

// Tensors lie beyond 4 GiB, and the data (here a hole) is never read.
TEST(Ggml, ReadsAFileOfTwelveGigabytesByItsHeaders) {
  const TemporaryDirectory dir;
  ModelShape shape;
  shape.n_layer = 28;
  GgmlFile file = ggml_gptj(shape, DType::f16);
  const size_t first_tensor = file.bytes().find(file.tensors.front().header());
  std::ofstream out(dir / "m.bin", std::ios::binary);
  out << file.bytes().substr(0, first_tensor);
  for (const GgmlTensor& tensor : file.tensors) {
    GgmlTensor large = tensor;
    int64_t bytes = large.type == 1 ? 2 : 4;
    for (int32_t& n : large.ne) bytes *= n *= 128;
    out << large.header();
    out.seekp(bytes - 1, std::ios::cur);
    out.put('\0');
  }
  out.close();

  const ModelFile model = open_model_file(dir / "m.bin");
  EXPECT_EQ(model.tensors.size(), 285U);
  EXPECT_EQ(model.tensors.back().offset + model.tensors.back().bytes, model.files.front()->size());
  EXPECT_GT(model.files.front()->size(), uint64_t{11} << 30);
  expect_consistent(model);
}

}  // namespace
}  // namespace gptj::test
