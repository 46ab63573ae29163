// Files whose tensors are not those of their config.

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/failure.h"
#include "io/model_files.h"
#include "model/loaded_model.h"

namespace gptj {
namespace {

using namespace test;

constexpr ModelShape kFourHeads = {
    .n_vocab = 257, .n_ctx = 8, .n_embd = 32, .n_head = 4, .n_layer = 2, .n_rot = 4};
constexpr ModelShape kTiny = {
    .n_vocab = 257, .n_ctx = 8, .n_embd = 32, .n_head = 2, .n_layer = 2, .n_rot = 4};

/// A kind of file whose tensors can be changed before it is written.
struct Kind {
  std::string name;
  bool is_ggml;
  std::set<std::string> optional;
  GgmlFile ggml;                    // if it is one, else:
  std::vector<SafeTensor> tensors;  // with this config
  nlohmann::json config;

  size_t n_tensors() const { return is_ggml ? ggml.tensors.size() : tensors.size(); }
  std::string tensor_name(size_t i) const { return is_ggml ? ggml.tensors[i].name : tensors[i].name; }

  void remove(size_t i) {
    if (is_ggml) {
      ggml.tensors.erase(ggml.tensors.begin() + static_cast<ptrdiff_t>(i));
    } else {
      tensors.erase(tensors.begin() + static_cast<ptrdiff_t>(i));
    }
  }

  /// One row, or one value of a vector, more.
  void grow(size_t i) {
    if (is_ggml) {
      GgmlTensor& tensor = ggml.tensors[i];
      const auto rows = static_cast<size_t>(tensor.ne.back()++);
      tensor.data += tensor.data.substr(0, tensor.data.size() / rows);
    } else {
      SafeTensor& tensor = tensors[i];
      const auto rows = static_cast<size_t>(tensor.shape.front()++);
      tensor.data += tensor.data.substr(0, tensor.data.size() / rows);
    }
  }

  void add(const std::string& tensor) {
    if (is_ggml) {
      ggml.tensors.push_back({tensor, 0, {1}, "1234"});
    } else {
      tensors.push_back({tensor, "F32", {1}, "1234"});
    }
  }

  std::string write(const TemporaryDirectory& directory) const {
    if (is_ggml) return directory.file("model.bin", ggml.bytes());
    directory.file("config.json", config.dump());
    directory.file("model.safetensors", safetensors_bytes(tensors));
    write_tokenizer(directory, kTiny.n_vocab);
    return directory.path();
  }
};

std::vector<Kind> kinds() {
  return {
      {"gptj ggml", true, {"lm_head.bias"}, ggml_gptj(kTiny, DType::f16), {}, {}},
      {"gpt2 ggml", true, {}, ggml_gpt2(kTiny, DType::q4_0), {}, {}},
      {"gptj safetensors",
       false,
       {"lm_head.bias"},
       {},
       huggingface_gptj(kTiny, DType::f32),
       huggingface_config("gptj", kTiny)},
      {"gpt2 safetensors",
       false,
       {},
       {},
       huggingface_gpt2(kTiny, DType::bf16),
       huggingface_config("gpt2", kTiny)},
      {"codegen safetensors",
       false,
       {"lm_head.bias"},
       {},
       huggingface_codegen(kFourHeads, DType::f16),
       huggingface_config("codegen", kFourHeads)},
  };
}

TEST(Tensors, EachOneIsNeeded) {
  for (const Kind& whole : kinds()) {
    const TemporaryDirectory dir;
    EXPECT_NO_THROW(LoadedModel(whole.write(dir)));
    for (size_t i = 0; i < whole.n_tensors(); ++i) {
      const std::string name = whole.tensor_name(i);
      SCOPED_TRACE(whole.name + " without " + name);
      Kind kind = whole;
      kind.remove(i);
      const std::string path = kind.write(dir);
      const std::string message = error_of([&] { LoadedModel model(path); });
      if (whole.optional.contains(name)) {
        EXPECT_EQ(message, "");
        continue;
      }
      EXPECT_NE(message.find(path), std::string::npos) << message;
      EXPECT_NE(message.find("expected"), std::string::npos) << message;
      // With safetensors, the name is that of the tables, without an optional prefix.
      const std::string_view prefix = "transformer.";
      const size_t plain = name.starts_with(prefix) ? prefix.size() : 0;
      EXPECT_NE(message.find(name.substr(plain)), std::string::npos) << message;
    }
  }
}

TEST(Tensors, EachOneHasItsShape) {
  for (const Kind& whole : kinds()) {
    const TemporaryDirectory dir;
    for (size_t i = 0; i < whole.n_tensors(); ++i) {
      const std::string name = whole.tensor_name(i);
      SCOPED_TRACE(whole.name + " with a larger " + name);
      Kind kind = whole;
      kind.grow(i);
      const std::string path = kind.write(dir);
      expect_error([&] { LoadedModel model(path); },
                   {path, "tensor '" + name + "'", "expected shape [", "], found ["});
    }
  }
}

TEST(Tensors, NumberOfDimensionsIsPartOfTheShape) {
  const TemporaryDirectory dir;
  Kind kind = kinds()[2];
  kind.tensors[1].shape.insert(kind.tensors[1].shape.begin(), 1);
  expect_error([&] { LoadedModel model(kind.write(dir)); },
               {"transformer.h.0.ln_1.weight", "expected shape [32], found [1, 32]"});
}

TEST(Tensors, LayersBeyondTheLastDoNotVanish) {
  const struct {
    size_t kind;
    const char* tensor;
  } cases[] = {{0, "transformer.h.2.ln_1.weight"}, {1, "model/h2/ln_1/g"},
               {2, "transformer.h.2.ln_1.weight"}, {2, "h.2.attn.bias"},
               {3, "transformer.h.31.anything"},   {3, "h.2.ln_1.weight"}};
  for (const auto& [index, tensor] : cases) {
    const TemporaryDirectory dir;
    Kind kind = kinds()[index];
    kind.add(tensor);
    const std::string path = kind.write(dir);
    expect_error([&] { LoadedModel model(path); },
                 {path, tensor,
                  "expected 2 layers (n_layer), found layer " +
                      std::string(std::string_view(tensor).find("31") == std::string::npos ? "2" : "31")});
  }
  // The same by a config that claims fewer.
  const TemporaryDirectory dir;
  for (Kind kind : kinds()) {
    if (kind.is_ggml) {
      kind.ggml.header[4] = 1;
    } else {
      kind.config["n_layer"] = 1;
    }
    expect_error([&] { LoadedModel model(kind.write(dir)); }, {"expected 1 layers (n_layer), found layer 1"});
  }
}

TEST(Tensors, UnknownOnesAreErrorsOnlyInGgmlFiles) {
  for (const char* tensor :
       {"something.else", "transformer.h.0.attn.masked_bias", "model/h0/attn/bias", "h", "h."}) {
    for (Kind kind : kinds()) {
      const TemporaryDirectory dir;
      kind.add(tensor);
      const std::string path = kind.write(dir);
      SCOPED_TRACE(kind.name + " with " + tensor);
      if (kind.is_ggml) {
        expect_error([&] { LoadedModel model(path); },
                     {path, tensor, "expected only the tensors of the model"});
      } else {
        EXPECT_NO_THROW(LoadedModel model(path));
      }
    }
  }
}

TEST(Tensors, TwoOfOneNameAreAnError) {
  const TemporaryDirectory dir;
  Kind kind = kinds()[0];
  kind.add("transformer.h.0.ln_1.bias");
  expect_error([&] { LoadedModel model(kind.write(dir)); }, {"transformer.h.0.ln_1.bias", "twice"});
}

TEST(Tensors, ScalesThatAreNotFinite) {
  const struct {
    DType dtype;
    const char *model, *tensor;
    size_t row;
    const char* rows;
  } cases[] = {
      {DType::q4_0, "gptj", "transformer.h.1.mlp.fc_in.weight", 0, "rows 0 to 15"},
      {DType::q5_1, "gpt2", "model/h0/attn/c_attn/w", 95, "rows 80 to 95"},
      {DType::q8_0, "gpt2", "model/wte", 256, "rows 256 to 271"},
  };
  for (const auto& [dtype, model, tensor, row, rows] : cases) {
    const TemporaryDirectory dir;
    GgmlFile file = std::string_view(model) == "gptj" ? ggml_gptj(kTiny, dtype) : ggml_gpt2(kTiny, dtype);
    file.tensor(tensor).data.replace(row * row_bytes(dtype, 32), 2, "\x01\x7e");  // NaN
    const std::string path = dir.file("model.bin", file.bytes());
    expect_error([&] { LoadedModel loaded(path); }, {path, tensor, "expected finite scales", rows});
  }
}

TEST(Tensors, OldScalesThatNoF16Holds) {
  const std::string_view scales[] = {
      {"\0\0\xc0\x7f", 4}, {"\0\0\x80\xff", 4}, {"\0\0\x80\x4f", 4}};  // NaN, -Inf, 2^32
  for (const std::string_view scale : scales) {
    const TemporaryDirectory dir;
    GgmlFile file = with_encoding(ggml_gptj(kTiny, DType::f16), 2, 2);
    file.tensor("transformer.h.1.attn.v_proj.weight").data.replace(5 * 20, 4, scale);
    const std::string path = dir.file("model.bin", file.bytes());
    expect_error([&] { LoadedModel loaded(path); },
                 {path, "transformer.h.1.attn.v_proj.weight", "expected finite scales", "in row 5"});
  }
}

TEST(Tensors, OrdinaryNumbersMayBeNan) {
  const TemporaryDirectory dir;
  GgmlFile file = ggml_gptj(kTiny, DType::f16);
  file.tensor("transformer.h.0.attn.q_proj.weight").data.replace(0, 2, "\x01\x7e");
  LoadedModel model(dir.file("model.bin", file.bytes()));
  EXPECT_EQ(model.evaluate({1, 2, 3}).at("logits").size(), 3U * 257);
}

}  // namespace
}  // namespace gptj
