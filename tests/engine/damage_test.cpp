// Files with flipped bytes: a model is loaded and used, or an Error says why not. (For the address
// sanitizer.)

#include <fstream>
#include <random>
#include <sstream>

#include "engine/tiny_models.h"
#include "gptj/generate.h"

namespace gptj {
namespace {

using namespace test;

std::string read(const std::string& path) {
  std::ostringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  return bytes.str();
}

/// Whether the model loads; then it must also work, whatever it says.
bool loads(const std::string& path) {
  try {
    const Model model(path, {.n_threads = 1});
    Session session(model, {.n_ctx = 0, .n_threads = 1});
    Sampler sampler({}, model.tokenizer(), model.info().n_vocab);
    std::vector<int> ids = {0};
    for (int i = 0; i < 3; ++i) {
      if (session.n_past() == session.n_ctx()) break;
      ids.push_back(sampler.sample(session.decode(ids.back()), ids));
    }
    model.tokenizer().decode(ids);
    model.tokenizer().encode("a text");
    return true;
  } catch (const Error& error) {
    EXPECT_LT(std::string_view(error.what()).size(), 1000U) << error.what();
    EXPECT_STRNE(error.what(), "");
    return false;
  }
}

struct Damage {
  const char* golden;
  const char* file;      // whose bytes are flipped
  size_t first, length;  // where; length 0: to the end
};

// The beginnings of files are where lies hide; the rest is mostly numbers.
constexpr Damage kDamages[] = {
    {"gptj-q4_0", "ggml-model.bin", 0, 40},    {"gptj-q4_0", "ggml-model.bin", 0, 0},
    {"gpt2-q5_1", "ggml-model.bin", 0, 40},    {"gpt2-q5_1", "ggml-model.bin", 1500, 4000},
    {"gptj-gguf", "model.gguf", 0, 4000},      {"gpt2-gguf-types", "model.gguf", 0, 0},
    {"gptj-ggml-f16", "ggml-model.bin", 0, 0}, {"gptj-bf16", "model.safetensors", 0, 3000},
    {"gpt2-f32", "model.safetensors", 0, 0},   {"gpt2-odd", "config.json", 0, 0},
    {"gptj-tied", "config.json", 0, 0},        {"gptj-f32", "vocab.json", 0, 0},
    {"gptj-f32", "merges.txt", 0, 0},
};

TEST(Damage, LoadsOrSaysWhyNot) {
  constexpr int kRounds = 60;
  std::mt19937 random(2026);
  int n_loaded = 0, n_refused = 0;
  for (const Damage& damage : kDamages) {
    const std::string golden = std::string(GPTJ_TEST_DATA "/golden/") + damage.golden + "/";
    const std::string_view file = damage.file;
    const bool is_alone = file.ends_with(".bin") || file.ends_with(".gguf");
    const TemporaryDirectory directory;
    if (!is_alone) {
      for (const char* name : {"config.json", "model.safetensors", "vocab.json", "merges.txt"}) {
        directory.file(name, read(golden + name));
      }
    }
    const std::string whole = read(golden + damage.file);
    const size_t length = damage.length != 0 ? damage.length : whole.size() - damage.first;
    ASSERT_GE(whole.size(), damage.first + length);
    directory.file(damage.file, whole);
    ASSERT_TRUE(loads(is_alone ? directory / damage.file : directory.path())) << damage.golden;
    for (int round = 0; round < kRounds; ++round) {
      std::string bytes = whole;
      for (int flips = 1 + round % 3; flips > 0; --flips) {
        char& byte = bytes[damage.first + random() % length];
        byte = static_cast<char>(round % 2 == 0 ? byte ^ (1 << random() % 8) : static_cast<int>(random()));
      }
      directory.file(damage.file, bytes);
      SCOPED_TRACE(testing::Message() << damage.golden << "/" << damage.file << ", round " << round);
      (loads(is_alone ? directory / damage.file : directory.path()) ? n_loaded : n_refused) += 1;
    }
  }
  EXPECT_GT(n_loaded, 50);
  EXPECT_GT(n_refused, 200);
}

}  // namespace
}  // namespace gptj
