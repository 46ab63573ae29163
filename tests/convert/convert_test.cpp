// Every model in every form that can have it, and from there in every other: the same logits, to the last bit.

#include "gptj/convert.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "base/failure.h"
#include "base/file.h"
#include "engine/tiny_models.h"
#include "io/model_file.h"
#include "model/golden.h"

namespace gptj {
namespace {

using namespace test;
using nlohmann::json;

struct Read {
  Logits logits;
  std::vector<int> text;  // tokens of one that has everything
  bool operator==(const Read&) const = default;
};

Read read(const std::string& path) {
  const Model model(path, {.n_threads = 2});
  const SessionOptions exact = {.n_threads = 2, .kv_type = KvType::f32, .exact = true};
  return {evaluate(model, exact, some_ids(12, model.info().n_vocab), 8),
          model.tokenizer().encode("The cat's 12 hats <|endoftext|>\n\n Grüße\t\xff")};
}

std::string name_in(const TemporaryDirectory& dir, const WrittenForm& form, const std::string& name) {
  return dir / name + form.extension;
}

class EveryForm : public testing::TestWithParam<Golden> {};

TEST_P(EveryForm, AndBack) {
  const std::string source = GetParam().model;
  const Read expected = read(source);
  size_t n_written = 0;
  for (const WrittenForm& first : written_forms()) {
    const TemporaryDirectory dir;
    SCOPED_TRACE(first.name);
    const std::string path = name_in(dir, first, "first");
    std::vector<std::string> warnings;
    const std::string refusal = error_of([&] { warnings = convert_model(source, path).warnings; });
    if (!refusal.empty()) {
      EXPECT_NE(refusal.find("--t"), std::string::npos) << refusal;
      EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
      continue;
    }
    ++n_written;
    EXPECT_EQ(read(path).logits, expected.logits);
    if (warnings.empty()) {
      EXPECT_EQ(read(path).text, expected.text);
    }
    for (const WrittenForm& second : written_forms()) {
      SCOPED_TRACE(second.name);
      const std::string again = name_in(dir, second, "second");
      if (!error_of([&] { convert_model(path, again); }).empty()) continue;
      EXPECT_EQ(read(again).logits, expected.logits);
    }
  }
  EXPECT_GE(n_written, 1U);  // our own file takes everything
}

TEST(Convert, OutIsAnotherFileThanIn) {
  const TemporaryDirectory dir;
  write_huggingface_gptj(dir, kTinyShape, DType::f16);
  const std::string path = dir / "model.gptj";
  convert_model(dir.path(), path);
  const std::string before = read_text_file(path, 1 << 24);
  std::filesystem::create_symlink(path, dir / "link.gptj");
  for (const std::string& out : {path, dir / "link.gptj"}) {
    expect_error([&] { convert_model(path, out, {.type = "q4_0"}); }, {out, "another name"});
  }
  EXPECT_EQ(read_text_file(path, 1 << 24), before);
  for (const char* name : {"model.safetensors", "config.json", "merges.txt"}) {  // files of IN
    expect_error([&] { convert_model(dir.path(), dir / name); }, {dir / name, "another name"});
  }
  expect_error([&] { convert_model(path, ""); }, {"OUT", "found nothing"});
}

// An empty token at the end is padding, unless a merge, an added token or a role names it.
TEST(Convert, DropsOnlyPaddingThatNothingNames) {
  const TemporaryDirectory dir;
  write_huggingface_gptj(dir, kTinyShape, DType::f16);
  const int last = kTinyShape.n_vocab - 1;
  json vocab = json::parse(read_text_file(dir / "vocab.json", 1 << 20));
  for (auto entry = vocab.begin(); entry != vocab.end(); ++entry) {
    if (entry.value() != last) continue;
    vocab.erase(entry);
    break;
  }
  vocab[""] = last;
  for (const bool named : {true, false}) {
    const json merges = named ? json::array({json::array({"", "a"})}) : json::array();
    dir.file("tokenizer.json",
             json{{"model", {{"type", "BPE"}, {"vocab", vocab}, {"merges", merges}}}}.dump());
    convert_model(dir.path(), dir / "model.gptj");
    const Vocab found = open_vocab(dir / "model.gptj");
    EXPECT_EQ(found.tokens.size(), static_cast<size_t>(named ? last + 1 : last));
    EXPECT_EQ(found.merges.size(), named ? 1U : 0U);
    convert_model(dir.path(), dir / "model.gguf");
  }
}

TEST(Convert, WhatOutCannotBeIsToldBeforeInIsRead) {
  const TemporaryDirectory dir;
  write_huggingface_gptj(dir, kTinyShape, DType::f16);
  const std::string path = dir / "model.gptj";  // has checksums, which are read first of all
  convert_model(dir.path(), path);
  const auto unread = [](uint64_t, uint64_t) {
    ADD_FAILURE() << "IN was read";
    return true;
  };
  expect_error([&] { convert_model(path, dir / "out.bin", {.type = "q4", .progress = unread}); },
               {"type", "q4_0"});
  expect_error([&] { convert_model(path, dir.path(), {.form = "hf", .progress = unread}); },
               {dir.path(), "an empty directory"});
}

TEST(Convert, ImportanceIsForFewerBits) {
  const TemporaryDirectory dir;
  write_huggingface_gptj(dir, kTinyShape, DType::f16);
  for (const std::string type : {"", "f16"}) {
    expect_error(
        [&] { convert_model(dir.path(), dir / "out.gptj", {.type = type, .importance = "x.imatrix"}); },
        {"'x.imatrix'", "expected a quantized type"});
  }
}

TEST(Convert, AHeadThatTorchStoredTwiceIsOne) {
  const TemporaryDirectory dir;
  convert_model(std::string(GPTJ_TEST_DATA) + "/golden/gpt2-torch-old-views", dir / "model.gptj");
  const ModelFile file = open_model_file(dir / "model.gptj");
  for (const FileTensor& tensor : file.tensors) EXPECT_NE(tensor.name, "lm_head.weight");
}

/// transformers 2 wrote "architectures" only.
TEST(Convert, AConfigOf2019GetsItsModelType) {
  const TemporaryDirectory dir;
  const std::string old = dir / "old";
  convert_model(write_tiny(dir, "gpt2", DType::f32), old, {.form = "hf"});
  json config = json::parse(read_text_file(old + "/config.json", 1 << 20));
  config.erase("model_type");
  config["architectures"] = {"GPT2LMHeadModel"};
  dir.file("old/config.json", config.dump());
  const Read expected = read(old);
  for (const WrittenForm& form : written_forms()) {
    SCOPED_TRACE(form.name);
    const std::string path = name_in(dir, form, "new");
    convert_model(old, path, {.form = form.name});
    EXPECT_EQ(read(path), expected);
  }
}

INSTANTIATE_TEST_SUITE_P(Goldens, EveryForm, testing::ValuesIn(goldens()), [](const auto& of) {
  std::string name = of.param.name;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return std::isalnum(c) == 0; }, '_');
  return name;
});

/// The forms that take a model of this type as it is.
std::set<std::string> forms_of(const std::string& source) {
  std::set<std::string> names;
  for (const WrittenForm& form : written_forms()) {
    const TemporaryDirectory dir;
    const std::string refusal = error_of([&] { convert_model(source, name_in(dir, form, "out")); });
    if (refusal.empty()) names.insert(form.name);
  }
  return names;
}

TEST(Convert, FormsTakeTheTypesThatTheyKnow) {
  const TemporaryDirectory in;
  using Set = std::set<std::string>;
  const ModelShape shape = {
      .n_vocab = 300, .n_ctx = 32, .n_embd = 128, .n_head = 4, .n_layer = 1, .n_rot = 8};
  for (const char* architecture : {"gptj", "gpt2"}) {
    EXPECT_EQ(forms_of(write_tiny(in, architecture, DType::f32, shape)),
              (Set{"native", "ggml", "gguf", "hf"}));
    EXPECT_EQ(forms_of(write_tiny(in, architecture, DType::q4_0, shape)), (Set{"native", "ggml", "gguf"}));
  }
  write_huggingface_gptj(in, shape, DType::bf16);
  EXPECT_EQ(forms_of(in.path()), (Set{"native", "gguf", "hf"}));
  const TemporaryDirectory quantized;
  convert_model(in.path(), quantized / "q4.gptj", {.type = "q4"});
  EXPECT_EQ(forms_of(quantized / "q4.gptj"), (Set{"native"}));
  convert_model(in.path(), quantized / "q4_0.gptj", {.type = "q4_0"});  // with 8 bits outside of the layers
  EXPECT_EQ(forms_of(quantized / "q4_0.gptj"), (Set{"native", "gguf"}));
}

TEST(Convert, LegacyFilesHaveOneType) {
  const TemporaryDirectory in, out;
  write_huggingface_gpt2(in, kTinyShape, DType::f16);
  for (const ConvertedMatrix& matrix :
       convert_model(in.path(), out / "q4_0.bin", {.type = "q4_0"}).matrices) {
    EXPECT_EQ(matrix.type, matrix.name == "model/wpe" ? "f32" : "q4_0") << matrix.name;
  }
  expect_error([&] { convert_model(in.path(), out / "q4.bin", {.type = "q4"}); }, {"type", "q4_0", "q4"});
  ModelShape odd = kTinyShape;
  odd.n_embd = 40;
  write_huggingface_gpt2(in, odd, DType::f16);
  expect_error([&] { convert_model(in.path(), out / "odd.bin", {.type = "q4_0"}); },
               {"rows of 40 values", "q4_0"});
}

TEST(Convert, WhatALegacyHeaderCannotSayIsRefused) {
  for (const Golden& golden : goldens()) {
    const TemporaryDirectory out;
    if (golden.name == "gptj-odd" || golden.name == "gpt2-gelu") {
      expect_error([&] { convert_model(golden.model, out / "x.bin"); }, {"activation_function", "--to"});
      expect_error([&] { convert_model(golden.model, out / "x.gguf"); }, {"activation_function", "--to"});
    }
  }
}

TEST(Convert, TheNameOfOutDecides) {
  const TemporaryDirectory in, out;
  write_huggingface_gptj(in, kTinyShape, DType::f16);
  std::filesystem::create_directory(out / "there.bin");
  for (const auto& [name, form] :
       std::vector<std::pair<std::string, std::string>>{{"a.gptj", "our own"},
                                                        {"a.anything", "our own"},
                                                        {"a.bin", "ggml"},
                                                        {"a.gguf", "GGUF"},
                                                        {"a", "directory"},
                                                        {"a.b/", "directory"},
                                                        {"there.bin", "directory"}}) {
    EXPECT_NE(convert_model(in.path(), out / name).form.find(form), std::string::npos) << name;
  }
  EXPECT_NE(convert_model(in.path(), out / "b.bin", {.form = "native"}).form.find("our own"),
            std::string::npos);
  expect_error([&] { convert_model(in.path(), out / "c", {.form = "onnx"}); }, {"native", "hf", "'onnx'"});
}

TEST(Convert, ADirectoryMustBeNewOrEmpty) {
  const TemporaryDirectory in, out;
  write_huggingface_gptj(in, kTinyShape, DType::f16);
  std::filesystem::create_directory(out / "full");
  out.file("full/precious", "precious");
  expect_error([&] { convert_model(in.path(), out / "full"); }, {"full", "directory with something in it"});
  expect_error([&] { convert_model(in.path(), out / "full/precious", {.form = "hf"}); }, {"something else"});
  expect_error([&] { convert_model(in.path(), out / "no/where/"); }, {"no/where"});
  const auto stop = [](uint64_t, uint64_t) { return false; };
  expect_error([&] { convert_model(in.path(), out / "new", {.n_threads = 1, .progress = stop}); },
               {"stopped"});
  EXPECT_EQ(read_text_file(out / "full/precious", 100), "precious");
  const auto entries = std::filesystem::directory_iterator(out.path());
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 1);
}

TEST(Convert, QuantizingAgainIsSaid) {
  const TemporaryDirectory in, out;
  const std::string source = write_tiny(in, "gptj", DType::q8_0);
  const auto warnings = [&](const char* name, const char* type) {
    return convert_model(source, out / name, {.type = type}).warnings;
  };
  ASSERT_EQ(warnings("q4.gptj", "q4_0").size(), 1U);
  EXPECT_NE(warnings("q4.gptj", "q4_0")[0].find("q8_0"), std::string::npos);
  EXPECT_TRUE(warnings("same.gguf", "q8_0").empty());
  EXPECT_TRUE(warnings("plain.bin", "f32").empty());
  EXPECT_EQ(read(out / "plain.bin").logits.size(), read(source).logits.size());
}

TEST(StoreAs, LoadsWhatConvertingWouldHaveWritten) {
  for (const char* architecture : {"gptj", "gpt2"}) {
    const TemporaryDirectory in, out;
    std::string(architecture) == "gptj" ? write_huggingface_gptj(in, kTinyShape, DType::f16)
                                        : write_huggingface_gpt2(in, kTinyShape, DType::f16);
    for (const std::string& type : weight_types()) {
      SCOPED_TRACE(architecture + (" " + type));
      convert_model(in.path(), out / "converted.gptj", {.type = type});
      const Model converted(out / "converted.gptj");
      OpenedModel opened(in.path());
      EXPECT_EQ(opened.store_as(type), type != "f16");
      EXPECT_EQ(opened.info().type, type);
      EXPECT_EQ(opened.info().weight_bytes, converted.info().weight_bytes);
      EXPECT_EQ(opened.info().read_bytes, converted.info().read_bytes);
      const Model model(std::move(opened));
      EXPECT_EQ(evaluate(model, {}, some_ids(12), 8), evaluate(converted, {}, some_ids(12), 8));
    }
    OpenedModel opened(in.path());
    expect_error([&] { opened.store_as("q3"); }, {"type", "'q3'"});
  }
}

TEST(StoreAs, OurOwnFileToo) {
  const TemporaryDirectory in, out;
  write_huggingface_gptj(in, kTinyShape, DType::f32);
  convert_model(in.path(), out / "f32.gptj");
  OpenedModel opened(out / "f32.gptj");
  OpenedModel original(in.path());
  EXPECT_TRUE(opened.store_as("q5") && original.store_as("q5"));
  EXPECT_EQ(evaluate(Model(std::move(opened)), {}, some_ids(12), 8),
            evaluate(Model(std::move(original)), {}, some_ids(12), 8));
}

}  // namespace
}  // namespace gptj
