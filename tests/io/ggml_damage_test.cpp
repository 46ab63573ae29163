#include <algorithm>
#include <filesystem>
#include <functional>
#include <limits>
#include <random>
#include <set>

#include "base/sanitized.h"
#include "io/model_files.h"
#include "io/open_error.h"

namespace gptj::test {
namespace {

constexpr int32_t kLies[] = {0, -1, std::numeric_limits<int32_t>::max(), std::numeric_limits<int32_t>::min()};

constexpr ModelShape kTiny = {.n_vocab = 257, .n_ctx = 4, .n_embd = 2, .n_head = 1, .n_layer = 1, .n_rot = 2};

struct Kind {
  std::string name;
  GgmlFile file;
};

std::vector<Kind> kinds() {
  ModelShape quantized = kTiny;
  quantized.n_embd = 32;
  return {{"gptj", ggml_gptj(kTiny, DType::f32)},
          {"gpt2", ggml_gpt2(kTiny, DType::f16)},
          {"gptj q4_0", ggml_gptj(quantized, DType::q4_0)},
          {"gpt2 q8_0", ggml_gpt2(quantized, DType::q8_0)},
          {"gptj transposed", with_transposed(ggml_gptj(kTiny, DType::f16))},
          {"gptj q4_1 version 0", with_encoding(ggml_gptj(quantized, DType::f16), 3, 3)},
          {"gpt2 q4_3", with_encoding(ggml_gpt2(quantized, DType::f16), 6, 5)},
          {"gpt2 q8_0 version 1 ggjt", in_ggjt(with_encoding(ggml_gpt2(quantized, DType::f16), 1007, 8), 2)}};
}

TEST(GgmlDamage, HeaderFieldsThatLie) {
  const TemporaryDirectory dir;
  const std::vector<std::string> gptj = {"n_vocab", "n_ctx", "n_embd", "n_head", "n_layer", "n_rot", "ftype"};
  const std::vector<std::string> gpt2 = {"n_vocab", "n_ctx", "n_embd", "n_head", "n_layer", "ftype"};
  for (const Kind& kind : kinds()) {
    const std::vector<std::string>& fields = kind.name.starts_with("gptj") ? gptj : gpt2;
    ASSERT_EQ(kind.file.header.size(), fields.size());
    for (size_t i = 0; i < fields.size(); ++i) {
      for (const int32_t lie : kLies) {
        if (fields[i] == "ftype" && lie == 0) continue;  // a type: F32
        SCOPED_TRACE(kind.name + ": " + fields[i] + " = " + std::to_string(lie));
        GgmlFile file = kind.file;
        file.header[i] = lie;
        expect_open_error(dir.file("m.bin", file.bytes()), {fields[i], std::to_string(lie)});
      }
    }
  }
}

TEST(GgmlDamage, GgjtVersionsThatLie) {
  const TemporaryDirectory dir;
  for (const int32_t lie :
       {0, -1, 4, std::numeric_limits<int32_t>::max(), std::numeric_limits<int32_t>::min()}) {
    const GgmlFile file = in_ggjt(ggml_gptj(kTiny, DType::f32), lie);
    expect_open_error(dir.file("m.bin", file.bytes()), {"version of ggjt", "1 to 3", std::to_string(lie)});
  }
}

TEST(GgmlDamage, CountsThatAgreeInALie) {
  const TemporaryDirectory dir;
  for (const int32_t lie : kLies) {
    GgmlFile file = ggml_gptj(kTiny, DType::f32);
    file.header[0] = file.n_tokens = lie;
    expect_open_error(dir.file("m.bin", file.bytes()), {"n_vocab", std::to_string(lie)});
  }
  GgmlFile file = ggml_gptj(kTiny, DType::f32);
  file.header[0] = file.n_tokens = 4'000'000;  // allowed, but the file does not hold them
  EXPECT_NE(open_error(dir.file("m.bin", file.bytes())), "");
}

TEST(GgmlDamage, VocabularyThatContradictsTheHeader) {
  const TemporaryDirectory dir;
  for (const Kind& kind : kinds()) {
    for (const int32_t lie : {0, -1, 256, 258, std::numeric_limits<int32_t>::max()}) {
      GgmlFile file = kind.file;
      file.n_tokens = lie;
      expect_open_error(dir.file("m.bin", file.bytes()), {"n_vocab", "number 257", std::to_string(lie)});
    }
  }
}

TEST(GgmlDamage, TokenLengthsThatLie) {
  const TemporaryDirectory dir;
  const GgmlFile file = ggml_gptj(kTiny, DType::f32);
  const size_t length = 4 * (2 + file.header.size());  // of the first token
  for (const std::string lie : {"\xff\xff\xff\xff", "\xff\xff\xff\x7f", "\x01\x02\x03\x00"}) {
    std::string bytes = file.bytes();
    bytes.replace(length, 3, lie, 0, 3);
    bytes[length + 3] = lie.size() == 4 ? lie[3] : '\0';
    expect_open_error(dir.file("m.bin", bytes), {"length of token 0"});
  }
}

struct TensorLie {
  std::string field;
  std::function<void(GgmlTensor&, int32_t)> tell;
  std::vector<std::string> words;
};

TEST(GgmlDamage, TensorFieldsThatLie) {
  const TemporaryDirectory dir;
  const std::vector<TensorLie> lies = {
      {"type", [](GgmlTensor& t, int32_t lie) { t.type = lie; }, {"type"}},
      {"ne[0]", [](GgmlTensor& t, int32_t lie) { t.ne[0] = lie; }, {}},
      {"ne[1]", [](GgmlTensor& t, int32_t lie) { t.ne[1] = lie; }, {}},
  };
  for (const Kind& kind : kinds()) {
    for (const TensorLie& lie : lies) {
      for (const int32_t value : kLies) {
        if (lie.field == "type" && value == 0) continue;  // a type: F32
        SCOPED_TRACE(kind.name + ": " + lie.field + " = " + std::to_string(value));
        GgmlFile file = kind.file;
        lie.tell(file.tensors.front(), value);
        expect_open_error(dir.file("m.bin", file.bytes()), lie.words);
      }
    }
    const std::string header = kind.file.tensors.front().header();
    const size_t at = kind.file.bytes().find(header);
    for (const size_t field : {size_t{0}, size_t{4}}) {  // number of dimensions, length of the name
      for (const int32_t value : {0, -1, 3, 1000, std::numeric_limits<int32_t>::max()}) {
        if (field == 4 && value == 3) continue;  // a length: the rest is then read as data
        SCOPED_TRACE(kind.name + ": field at " + std::to_string(field) + " = " + std::to_string(value));
        std::string bytes = kind.file.bytes();
        for (size_t i = 0; i < 4; ++i) {
          bytes[at + field + i] = static_cast<char>(static_cast<uint32_t>(value) >> (8 * i));
        }
        expect_open_error(dir.file("m.bin", bytes),
                          {field == 0 ? "number of dimensions" : "length of name", std::to_string(value)});
      }
    }
  }
}

TEST(GgmlDamage, TypesThatDoNotFit) {
  const TemporaryDirectory dir;
  GgmlFile file = ggml_gptj(kTiny, DType::f32);
  file.tensors.front().type = 2;
  expect_open_error(dir.file("m.bin", file.bytes()),
                    {"'transformer.wte.weight'", "type", "0 (f32) or 1 (f16)", "found 2"});

  file.header.back() = 2002;
  expect_open_error(dir.file("m.bin", file.bytes()),
                    {"'transformer.wte.weight'", "multiple of 32", "q4_0", "found 2"});
  file.tensors.front().type = 12;
  expect_open_error(dir.file("m.bin", file.bytes()),
                    {"'transformer.wte.weight'", "multiple of 256", "q4_K", "found 2"});
  file.tensors.front().type = 19;
  expect_open_error(dir.file("m.bin", file.bytes()), {"'transformer.wte.weight'", "type", "found 19"});
  file.header.back() = 1002;  // before there were k-types
  file.tensors.front().type = 12;
  expect_open_error(dir.file("m.bin", file.bytes()), {"'transformer.wte.weight'", "type", "found 12"});
}

TEST(GgmlDamage, DoubledTensors) {
  const TemporaryDirectory dir;
  GgmlFile file = ggml_gptj(kTiny, DType::f32);
  file.tensors.push_back(file.tensors[3]);
  expect_open_error(dir.file("m.bin", file.bytes()), {file.tensors[3].name, "twice"});
}

TEST(GgmlDamage, HostileNamesAreShownSafely) {
  const TemporaryDirectory dir;
  GgmlFile file = ggml_gptj(kTiny, DType::f32);
  file.tensors[3].name = "\x1b[31m\n";
  file.tensors[3].type = 99;
  expect_open_error(dir.file("m.bin", file.bytes()), {"'\\x1b[31m\\n'"});
}

TEST(GgmlDamage, SomethingAfterTheLastTensor) {
  const TemporaryDirectory dir;
  for (const Kind& kind : kinds()) {
    for (const size_t n : std::vector<size_t>{1, 11, 12, 100, 5000}) {
      const std::string zeros(n, '\0');
      expect_open_error(dir.file("m.bin", kind.file.bytes() + zeros), {"number of dimensions"});
      const std::string text(n, 'x');
      expect_open_error(dir.file("m.bin", kind.file.bytes() + text), {"number of dimensions"});
    }
  }
}

// The sizes at which a cut file looks whole: between two tensors. What is missing is for the model to find.
std::set<size_t> whole_sizes(GgmlFile file) {
  std::set<size_t> whole;
  while (file.tensors.size() > 1) {
    file.tensors.pop_back();
    whole.insert(file.bytes().size());
  }
  return whole;
}

void expect_truncation_error(const std::string& path, size_t size) {
  std::filesystem::resize_file(path, size);
  expect_open_error(path, {});
  if (testing::Test::HasFailure()) FAIL() << "cut at " << size;
}

TEST(GgmlDamage, TruncatedAnywhere) {
  const TemporaryDirectory dir;
  for (const GgmlFile& file : {ggml_gptj(kTiny, DType::f32), ggml_gpt2(kTiny, DType::f16),
                               in_ggjt(with_transposed(ggml_gpt2(kTiny, DType::f16)), 1)}) {
    const std::string bytes = file.bytes();
    const std::string path = dir.file("m.bin", bytes);
    const std::set<size_t> whole = whole_sizes(file);
    const size_t step = kSanitized ? 7 : 1;
    for (size_t size = bytes.size(); size > 0;) {
      size -= std::min(size, step);
      if (whole.contains(size)) continue;
      ASSERT_NO_FATAL_FAILURE(expect_truncation_error(path, size));
    }
    for (const size_t size : whole) {
      EXPECT_EQ(open_error(dir.file("m.bin", bytes.substr(0, size))), "") << "cut at " << size;
    }
  }
}

TEST(GgmlDamage, TruncatedAroundEverySection) {
  const TemporaryDirectory dir;
  for (const GgmlFile& file :
       {ggml_gptj({}, DType::q5_1), ggml_gpt2({}, DType::q4_1), in_ggjt(ggml_gptj({}, DType::q4_0), 3),
        with_encoding(ggml_gptj({}, DType::f16), 5, 4), with_encoding(ggml_gpt2({}, DType::f16), 1002, 2)}) {
    const std::string bytes = file.bytes();
    const std::vector<size_t> sections = file.sections();
    ASSERT_EQ(sections.back(), bytes.size());
    std::set<size_t, std::greater<>> sizes;  // a file only ever gets shorter
    for (const size_t section : sections) sizes.insert({section - 1, section, section + 1});
    const std::string path = dir.file("m.bin", bytes);
    const std::set<size_t> whole = whole_sizes(file);
    for (const size_t size : sizes) {
      if (size >= bytes.size() || whole.contains(size)) continue;
      ASSERT_NO_FATAL_FAILURE(expect_truncation_error(path, size));
    }
  }
}

TEST(GgmlDamage, FlippedBits) {
  const TemporaryDirectory dir;
  std::mt19937 random(20230519);
  int opened = 0;
  for (const Kind& kind : kinds()) {
    const std::string bytes = kind.file.bytes();
    for (int i = 0; i < 1000; ++i) {
      std::string flipped = bytes;
      for (unsigned n = 0; n <= random() % 3; ++n) {
        flipped[random() % bytes.size()] ^= static_cast<char>(1 << random() % 8);
      }
      const std::string path = dir.file("m.bin", flipped);
      try {
        expect_consistent(open_model_file(path));
        ++opened;
      } catch (const Error& error) {
        EXPECT_LT(std::string(error.what()).size(), 600U) << error.what();
      }
    }
  }
  EXPECT_GT(opened, 0);  // flips in the data are not for the reader to see
  EXPECT_LT(opened, 8000);
}

}  // namespace
}  // namespace gptj::test
