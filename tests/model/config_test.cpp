// What config.json may say, and every way in which it may be wrong.

#include "model/config.h"

#include <cmath>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/failure.h"
#include "io/model_files.h"
#include "model/architecture.h"

namespace gptj {
namespace {

using nlohmann::json;
using test::expect_error;

constexpr const char* kPath = "some/model";
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// The checked config of a model without tensors; n_embd 32, 2 heads of 16.
Config config_of(const json& config) {
  ModelFile file;
  file.path = kPath;
  file.config = std::make_shared<const json>(config);
  return make_architecture(file)->config();
}

json valid(std::string_view model_type) {
  return test::huggingface_config(model_type, {});
}

json with(std::string_view model_type, const char* key, const json& value) {
  json config = valid(model_type);
  config[key] = value;
  return config;
}

void expect_refused(const json& config, std::vector<std::string> words) {
  words.push_back("'some/model'");
  expect_error([&] { config_of(config); }, words);
}

TEST(Config, FieldsHaveTheirValues) {
  const Config c = config_of(valid("gptj"));
  EXPECT_EQ(c.model_type, "gptj");
  EXPECT_EQ(c.n_vocab, 257);
  EXPECT_EQ(c.n_ctx, 32);
  EXPECT_EQ(c.n_embd, 32);
  EXPECT_EQ(c.n_head, 2);
  EXPECT_EQ(c.n_layer, 2);
  EXPECT_EQ(c.n_inner, 128);
  EXPECT_EQ(c.n_rot, 4);
  EXPECT_EQ(c.head_dim(), 16);
  EXPECT_EQ(c.activation, Activation::gelu_new);
  EXPECT_FALSE(c.tied);
  EXPECT_EQ(config_of(valid("gpt2")).n_rot, 0);
}

TEST(Config, OptionalKeysHaveTheReferencesDefaults) {
  for (const bool null : {false, true}) {
    json config = valid("gpt2");
    for (const char* key : {"n_inner", "activation_function", "layer_norm_epsilon", "scale_attn_weights",
                            "scale_attn_by_inverse_layer_idx", "tie_word_embeddings"}) {
      if (null) {
        config[key] = nullptr;
      } else {
        config.erase(key);
      }
    }
    const Config c = config_of(config);
    EXPECT_EQ(c.n_inner, 4 * 32);
    EXPECT_EQ(c.activation, Activation::gelu_new);
    EXPECT_EQ(c.layer_norm_eps, 1e-5f);
    EXPECT_TRUE(c.scale_attn_weights);
    EXPECT_FALSE(c.scale_attn_by_inverse_layer_idx);
    EXPECT_TRUE(c.tied);
  }
  json config = valid("gptj");
  config.erase("tie_word_embeddings");
  EXPECT_FALSE(config_of(config).tied);
  config["n_embd"] = 160;
  config.erase("rotary_dim");
  EXPECT_EQ(config_of(config).n_rot, 64);
}

TEST(Config, KeysThatNobodyNeedsMaySayAnything) {
  EXPECT_EQ(config_of(with("gptj", "eos_token_id", json::array({256, 257}))).n_embd, 32);
}

TEST(Config, WholeNumbersMayBeWrittenAsFloats) {
  EXPECT_EQ(config_of(with("gpt2", "n_embd", 64.0)).n_embd, 64);
  EXPECT_EQ(config_of(with("gptj", "rotary_dim", 16.0)).n_rot, 16);
}

TEST(Config, EveryActivation) {
  const std::pair<const char*, Activation> known[] = {{"gelu_new", Activation::gelu_new},
                                                      {"gelu_pytorch_tanh", Activation::gelu_new},
                                                      {"gelu", Activation::gelu},
                                                      {"relu", Activation::relu}};
  for (const auto& [name, activation] : known) {
    EXPECT_EQ(config_of(with("gpt2", "activation_function", name)).activation, activation) << name;
  }
  for (const json& wrong : {json("silu"), json(""), json(3), json(true), json::array({"gelu"})}) {
    expect_refused(with("gptj", "activation_function", wrong),
                   {"activation_function: expected one of gelu_new, gelu, relu", "found '" + wrong.dump()});
  }
}

TEST(Config, AttentionScales) {
  Config c = config_of(with("gpt2", "scale_attn_by_inverse_layer_idx", true));
  EXPECT_FLOAT_EQ(c.attention_scale(0), 0.25f);
  EXPECT_FLOAT_EQ(c.attention_scale(2), 0.25f / 3);
  c = config_of(with("gpt2", "scale_attn_weights", false));
  EXPECT_FLOAT_EQ(c.attention_scale(2), 1.0f);
  c.scale_attn_by_inverse_layer_idx = true;
  EXPECT_FLOAT_EQ(c.attention_scale(2), 1.0f / 3);
  // GPT-J's attention has neither switch.
  c = config_of(with("gptj", "scale_attn_weights", false));
  EXPECT_FLOAT_EQ(c.attention_scale(2), 0.25f);
}

TEST(Config, IntegersThatAreNone) {
  const struct {
    const char *model_type, *key;
    bool required;
    const char* range;
  } keys[] = {
      {"gptj", "vocab_size", true, "1 to "},    {"gpt2", "n_positions", true, "1 to "},
      {"gptj", "n_embd", true, "1 to "},        {"gpt2", "n_head", true, "1 to "},
      {"gptj", "n_layer", true, "1 to "},       {"gpt2", "n_inner", false, "1 to "},
      {"gptj", "rotary_dim", false, "1 to 16"},
  };
  for (const auto& [model_type, key, required, range] : keys) {
    for (const json& wrong :
         {json(-1), json(-2147483649LL), json(1'000'000'000), json(4294967297LL), json(1e300), json(2.5),
          json(kNan), json(kInfinity), json("12"), json(true), json::array({1}), json::object()}) {
      SCOPED_TRACE(key + (": " + wrong.dump()));
      expect_refused(
          with(model_type, key, wrong),
          {std::string(key) + ": expected a whole number from " + range, "found '" + wrong.dump() + "'"});
    }
    if (!required) continue;
    json config = valid(model_type);
    config.erase(key);
    expect_refused(config, {std::string(key) + ": expected a number, found nothing"});
    expect_refused(with(model_type, key, nullptr), {std::string(key) + ": expected a number, found nothing"});
    expect_refused(with(model_type, key, 0), {std::string(key), "found '0'"});
  }
}

TEST(Config, EpsilonsThatAreNone) {
  for (const json& wrong : {json(-1e-5), json(kNan), json(kInfinity), json(2), json("1e-5"), json(false)}) {
    expect_refused(with("gpt2", "layer_norm_epsilon", wrong),
                   {"layer_norm_epsilon: expected a number from 0 to 1, found '" + wrong.dump()});
  }
  EXPECT_EQ(config_of(with("gpt2", "layer_norm_epsilon", 0)).layer_norm_eps, 0.0f);
}

TEST(Config, SwitchesThatAreNone) {
  for (const char* key : {"scale_attn_weights", "scale_attn_by_inverse_layer_idx", "tie_word_embeddings"}) {
    for (const json& wrong : {json("true"), json(1), json::array({true})}) {
      expect_refused(with("gpt2", key, wrong),
                     {key + std::string(": expected true or false, found '" + wrong.dump())});
    }
  }
}

TEST(Config, SizesThatContradictEachOther) {
  expect_refused(with("gpt2", "n_head", 5), {"n_embd: expected a multiple of n_head = 5, found 32"});
  expect_refused(with("gptj", "n_head", 64), {"n_embd: expected a multiple of n_head = 64, found 32"});
  expect_refused(with("gptj", "rotary_dim", 3), {"rotary_dim: expected an even number", "16, found 3"});
  expect_refused(with("gptj", "rotary_dim", 18), {"rotary_dim", "1 to 16", "found '18'"});
  json config = valid("gptj");
  config.erase("rotary_dim");  // 64, which is more than these heads have
  expect_refused(config, {"rotary_dim", "even number up to the head's size 16, found 64"});
  EXPECT_EQ(config_of(with("gptj", "rotary_dim", 16)).n_rot, 16);
}

const std::string kExpectedTypes = "model_type: expected one of gptj, gpt2, codegen, found ";

TEST(Config, ModelsThatAreUnknown) {
  for (const json& wrong : {json("llama"), json("GPTJ"), json(""), json(5), json(nullptr)}) {
    expect_refused(with("gptj", "model_type", wrong), {kExpectedTypes});
  }
  json config = valid("gptj");
  config.erase("model_type");
  expect_refused(config, {kExpectedTypes + "''"});
  expect_refused(with("gptj", "model_type", "llama\x1b[2J"), {"found 'llama\\x1b[2J'"});
  for (const char* relative : {"gpt_neo", "gpt_neox", "opt", "llama", "bloom"}) {
    expect_refused(with("gptj", "model_type", relative),
                   {"found '" + std::string(relative) + "', which is another architecture"});
  }
}

TEST(Config, CodeGenIsAGptJ) {
  json config = with("codegen", "n_head", 4);
  config["n_ctx"] = 2048;  // which its configs have besides n_positions
  const Config c = config_of(config);
  EXPECT_EQ(c.model_type, "codegen");
  EXPECT_EQ(c.n_ctx, 32);
  EXPECT_EQ(c.n_rot, 4);
  EXPECT_EQ(c.activation, Activation::gelu_new);
  EXPECT_FALSE(c.tied);
  expect_refused(with("codegen", "n_head", 2), {"n_head: expected a multiple of 4", "found 2"});
  expect_refused(with("codegen", "n_head", 1), {"n_head: expected a multiple of 4", "found 1"});
  config["rotary_dim"] = 10;
  expect_refused(config, {"rotary_dim", "1 to 8", "found '10'"});
}

// As published: BioMedLM, Cerebras-GPT-111M, DialoGPT before transformers 3, a config with transformers' other names.
TEST(Config, TheFamilysOwnWays) {
  json config = valid("gpt2");
  config.update({{"scale_attn_by_inverse_layer_idx", true}, {"reorder_and_upcast_attn", true}});
  EXPECT_FLOAT_EQ(config_of(config).attention_scale(1), 0.125f);

  config = valid("gpt2");
  config.update({{"activation_function", "gelu"}, {"n_inner", 100}, {"scale_attn_weights", true}});
  EXPECT_EQ(config_of(config).activation, Activation::gelu);
  EXPECT_EQ(config_of(config).n_inner, 100);

  config = valid("gpt2");
  config.erase("model_type");
  config["architectures"] = {"GPT2LMHeadModel"};
  EXPECT_EQ(config_of(config).model_type, "gpt2");
  config["architectures"] = {"BertModel"};
  expect_refused(config, {kExpectedTypes + "''"});

  config = valid("gptj");
  const std::pair<const char*, const char*> names[] = {{"n_positions", "max_position_embeddings"},
                                                       {"n_embd", "hidden_size"},
                                                       {"n_head", "num_attention_heads"},
                                                       {"n_layer", "num_hidden_layers"}};
  for (const auto& [name, other] : names) {
    config[other] = config[name];
    config.erase(name);
  }
  const Config c = config_of(config);
  EXPECT_EQ(c.n_ctx, 32);
  EXPECT_EQ(c.n_embd, 32);
  EXPECT_EQ(c.n_head, 2);
  EXPECT_EQ(c.n_layer, 2);
}

TEST(Config, MessagesNameTheFileThatItIsIn) {
  const test::TemporaryDirectory dir;
  test::write_huggingface_gptj(dir, {}, DType::f16);
  dir.file("config.json", with("gptj", "n_head", 7).dump());
  for (const std::string& path : {dir.path(), dir / "model.safetensors"}) {
    expect_error([&] { make_architecture(open_model_file(path)); }, {dir / "config.json", "n_head"});
  }
}

}  // namespace
}  // namespace gptj
