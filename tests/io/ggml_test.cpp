#include "io/ggml.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "io/model_files.h"
#include "io/open_error.h"

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
  const TempDir dir;
  for (const DType dtype : kGgmlTypes) {
    SCOPED_TRACE(info(dtype).name);
    const GgmlFile file = ggml_gptj({}, dtype);
    const ModelFile model = open_model_file(dir.write("ggml-model.bin", file.bytes()));
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
  const TempDir dir;
  for (const DType dtype : kGgmlTypes) {
    SCOPED_TRACE(info(dtype).name);
    const GgmlFile file = ggml_gpt2({}, dtype);
    const ModelFile model = open_model_file(dir.write("ggml-model.bin", file.bytes()));
    expect_same_tensors(model, file);
    expect_consistent(model);
    EXPECT_EQ(model.config->at("model_type"), "gpt2");
    EXPECT_EQ(model.config->at("tie_word_embeddings"), true);
    EXPECT_FALSE(model.config->contains("rotary_dim"));
  }
}

TEST(Ggml, Gpt2MayHaveItsOwnHead) {
  const TempDir dir;
  GgmlFile file = ggml_gpt2({}, DType::f16);
  GgmlTensor head = file.tensor("model/wte");
  head.name = "model/lm_head";
  file.tensors.push_back(head);
  EXPECT_EQ(open_model_file(dir.write("m.bin", file.bytes())).config->at("tie_word_embeddings"), false);
}

// A cut between two tensors must not turn GPT-J's missing head into a tied one.
TEST(Ggml, GptJIsNeverTied) {
  const TempDir dir;
  GgmlFile file = ggml_gptj({}, DType::f16);
  file.tensors.resize(file.tensors.size() - 2);
  EXPECT_EQ(open_model_file(dir.write("m.bin", file.bytes())).config->at("tie_word_embeddings"), false);
}

TEST(Ggml, OpenVocabGivesTheSameTokens) {
  const TempDir dir;
  const GgmlFile file = ggml_gpt2({}, DType::q4_0);
  EXPECT_EQ(open_vocab(dir.write("m.bin", file.bytes())).tokens, file.tokens);
}

// Where the numbers fit both layouts, only the tensors' names tell them apart.
TEST(Ggml, NamesDecideBetweenTheLayouts) {
  const TempDir dir;
  ModelShape shape;
  shape.n_vocab = 2002;
  const std::string gptj =
      ggml_gptj(shape, DType::q4_0).bytes();  // ftype 2002 could be GPT-2's n_vocab again
  EXPECT_EQ(open_model_file(dir.write("m.bin", gptj)).config->at("model_type"), "gptj");
  expect_open_error(dir.write("m.bin", std::string_view(gptj).substr(0, gptj.size() - 1)),
                    {"'lm_head.bias'"});

  shape.n_vocab = 300;
  GgmlFile gpt2 = ggml_gpt2(shape, DType::f16);
  gpt2.tokens[299] = gpt2.tokens[0];
  gpt2.tokens[0] = std::string(300, 'x');  // its length could be GPT-J's n_vocab again
  EXPECT_EQ(open_model_file(dir.write("m.bin", gpt2.bytes())).config->at("model_type"), "gpt2");
  gpt2.tensors.back().data.pop_back();
  expect_open_error(dir.write("m.bin", gpt2.bytes()), {"'model/ln_f/b'"});
}

TEST(Ggml, RefusesAnotherArchitecturesNames) {
  const TempDir dir;
  GgmlFile file = ggml_gptj({}, DType::f32);
  file.tensors = ggml_gpt2({}, DType::f32).tensors;
  expect_open_error(dir.write("m.bin", file.bytes()), {"'transformer.wte.weight'", "gptj"});
  file = ggml_gpt2({}, DType::f32);
  file.tensors = ggml_gptj({}, DType::f32).tensors;
  expect_open_error(dir.write("m.bin", file.bytes()), {"'model/wte'", "gpt2"});
}

TEST(Ggml, SaysWhichEraAFileIsOf) {
  const TempDir dir;
  const auto with_ftype = [&](int32_t ftype) {
    GgmlFile file = ggml_gptj({}, DType::q4_0);
    file.header.back() = ftype;
    return dir.write("m.bin", file.bytes());
  };
  expect_open_error(with_ftype(2), {"ftype", "q4_0 with version 0", "June 2023"});
  expect_open_error(with_ftype(1008), {"ftype", "q5_0 with version 1", "June 2023"});
  expect_open_error(with_ftype(5), {"ftype", "q4_2", "2002 (q4_0)"});
  expect_open_error(with_ftype(2012), {"ftype", "q4_K", "2002 (q4_0)"});
  expect_open_error(with_ftype(2015), {"ftype", "2002 (q4_0)", "found 2015"});
  expect_open_error(with_ftype(3002), {"ftype", "found 3002"});
}

TEST(Ggml, RefusesTransposedMatricesOfOldFiles) {
  const TempDir dir;
  GgmlFile file = ggml_gptj({}, DType::f16);
  std::vector<int32_t>& ne = file.tensor("transformer.h.0.mlp.fc_in.weight").ne;
  std::swap(ne[0], ne[1]);
  expect_open_error(dir.write("m.bin", file.bytes()), {"old GPT-J file", "fc_in.weight", "[128, 32]"});
}

// Tensors lie beyond 4 GiB, and the data (here a hole) is never read.
TEST(Ggml, ReadsAFileOfTwelveGigabytesByItsHeaders) {
  const TempDir dir;
  ModelShape shape;
  shape.n_layer = 28;
  GgmlFile file = ggml_gptj(shape, DType::f16);
  const size_t first_tensor = file.bytes().find(file.tensors.front().header());
  std::ofstream out(dir.file("m.bin"), std::ios::binary);
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

  const ModelFile model = open_model_file(dir.file("m.bin"));
  EXPECT_EQ(model.tensors.size(), 285U);
  EXPECT_EQ(model.tensors.back().offset + model.tensors.back().bytes, model.files.front()->size());
  EXPECT_GT(model.files.front()->size(), uint64_t{11} << 30);
  expect_consistent(model);
}

}  // namespace
}  // namespace gptj::test
