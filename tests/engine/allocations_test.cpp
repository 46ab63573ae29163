// All memory is taken when a session opens: from the second generated token on, nothing asks for any.

#include "engine/allocations.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <new>

#include "base/platform.h"
#include "engine/tiny_models.h"
#include "gptj/generate.h"
#include "sampling/sampling.h"

namespace gptj {
namespace {

using namespace test;

/// The compiler may leave out an allocation that nobody looks at.
void* seen(void* memory) {
  asm volatile("" : : "r"(memory) : "memory");
  return memory;
}

TEST(Allocations, AreSeen) {
  const auto counts = [](const auto& action) {
    const long before = n_allocations();
    action();
    return n_allocations() - before;
  };
  EXPECT_EQ(counts([&] { std::free(seen(std::malloc(10))); }), 1);
  EXPECT_EQ(counts([&] { std::free(seen(std::calloc(10, 10))); }), 1);
  EXPECT_EQ(counts([&] { std::free(seen(std::realloc(seen(std::malloc(1)), 100))); }), 2);
  EXPECT_EQ(counts([&] { std::free(seen(std::aligned_alloc(64, 640))); }), 1);
  EXPECT_EQ(counts([&] { ::operator delete(seen(::operator new(10))); }), 1);
  constexpr std::align_val_t kAligned{64};
  EXPECT_EQ(counts([&] { ::operator delete(seen(::operator new(64, kAligned)), kAligned); }), 1);
  EXPECT_EQ(counts([&] { seen(std::vector<int>(1000).data()); }), 1);

  const MapRecorder maps;
  void* memory = platform::allocate_pages(12 << 12, "a test");
  EXPECT_EQ(maps.sizes(), std::vector<size_t>{12 << 12});
  platform::free_pages(memory, 12 << 12);
}

TEST(Allocations, NoneForASecondToken) {
  const TemporaryDirectory directory;
  for (const char* architecture : {"gptj", "gpt2"}) {
    for (const DType dtype : {DType::f16, DType::q4_0}) {
      for (const int n_threads : {1, 3}) {
        const Model model(write_tiny(directory, architecture, dtype));
        Session session(model, {.n_threads = n_threads, .n_batch = 16});
        Sampler sampler(sampling({{"repeat-penalty", 1.1}}), model.tokenizer(), model.info().n_vocab);
        const std::vector<int> prompt = some_ids(20);
        std::vector<int> context = prompt;
        context.reserve(80);
        context.push_back(sampler.sample(session.prefill(prompt), context));
        context.push_back(sampler.sample(session.decode(context.back()), context));
        const long before = n_allocations();
        for (int i = 0; i < 50; ++i)
          context.push_back(sampler.sample(session.decode(context.back()), context));
        EXPECT_EQ(n_allocations() - before, 0) << architecture << " " << info(dtype).name << " " << n_threads;
      }
    }
  }
}

TEST(Allocations, NoneInAnySampler) {
  const TemporaryDirectory directory;
  const Model model(write_tiny(directory, "gpt2", DType::f16));
  SamplerOptions options = sampling({{"repeat-penalty", 1.1},
                                     {"dry-multiplier", 1},
                                     {"no-repeat-ngram", 4},
                                     {"top-n-sigma", 3},
                                     {"top-k", 0},
                                     {"dynatemp-range", 0.5},
                                     {"typical", 0.9},
                                     {"min-p", 1e-6},
                                     {"xtc-probability", 0.5},
                                     {"xtc-threshold", 0.001}});
  options.set("banned-string", "a long text that never comes");
  options.set("dry-sequence-breaker", "another long text that never comes");
  options.set("logit-bias", "5+1");
  options.ban(7);
  const std::vector<float> logits(static_cast<size_t>(model.info().n_vocab), 0.5f);
  const std::vector<uint64_t> allowed(logits.size() / 64 + 1, 0xff00ff00ff00ffff);
  const std::vector<int> context = some_ids(500);
  for (const int version : {0, 1, 2}) {
    options.set("mirostat", version);
    Sampler sampler(options, model.tokenizer(), model.info().n_vocab);
    const long before = n_allocations();
    for (size_t n = 0; n < context.size(); ++n) {
      sampler.sample(logits, std::span(context).first(n));
      sampler.sample(logits, std::span(context).first(n), allowed);
      sampler.distribution(logits, std::span(context).first(n));
    }
    EXPECT_EQ(n_allocations() - before, 0) << version;
  }
}

TEST(Allocations, NoneForAnySettingOfASampler) {
  const TemporaryDirectory directory;
  const Model model(write_tiny(directory, "gpt2", DType::f16));
  const std::vector<float> logits(static_cast<size_t>(model.info().n_vocab), 0.5f);
  const std::vector<int> context = some_ids(100);
  for (const SamplerSetting& setting : sampler_settings()) {
    using Kind = SamplerSetting::Kind;
    if (setting.kind != Kind::integer && setting.kind != Kind::number) continue;
    for (const double value : {setting.low, std::floor((setting.low + setting.high) / 2), setting.high}) {
      Sampler sampler(sampling({{setting.name, value}}), model.tokenizer(), model.info().n_vocab);
      const long before = n_allocations();
      for (size_t n = 0; n < context.size(); ++n) sampler.sample(logits, std::span(context).first(n));
      EXPECT_EQ(n_allocations() - before, 0) << setting.name << " " << value;
    }
  }
}

TEST(Allocations, NoneForASecondPromptOrBatch) {
  const TemporaryDirectory directory;
  const Model model(write_tiny(directory, "gptj", DType::q5_1));
  Session session(model, {.n_threads = 2, .n_batch = 16});
  const std::vector<int> prompt = some_ids(60);
  session.prefill(prompt);
  const long before = n_allocations();
  session.truncate(7);
  session.prefill(std::span(prompt).subspan(7));
  EXPECT_EQ(n_allocations() - before, 0);
}

TEST(Allocations, ASessionMapsWhatItSaid) {
  const TemporaryDirectory directory;
  for (const char* architecture : {"gptj", "gpt2"}) {
    const Model model(write_tiny(directory, architecture, DType::q4_0));
    for (const SessionOptions& options :
         {SessionOptions{.n_threads = 2},
          SessionOptions{.n_ctx = 33, .n_threads = 1, .n_batch = 7, .kv_type = KvType::f32}}) {
      const SessionMemory memory = session_memory(model.info(), options);
      const MapRecorder maps;
      const Session session(model, options);
      const std::vector<size_t> sizes = maps.sizes();
      EXPECT_EQ(std::count(sizes.begin(), sizes.end(), memory.kv_cache + memory.scratch), 1) << architecture;
    }
  }
}

TEST(Allocations, AModelMapsItsWeights) {
  const TemporaryDirectory directory;
  const std::string path = write_tiny(directory, "gpt2", DType::f16);
  const MapRecorder maps;
  const Model model(path);
  const std::vector<size_t> sizes = maps.sizes();
  EXPECT_EQ(std::count(sizes.begin(), sizes.end(), model.info().weight_bytes), 1);
}

}  // namespace
}  // namespace gptj
