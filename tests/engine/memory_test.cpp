// Peak memory of loading a model and using it, in a process of its own.

#include <sys/wait.h>
#include <unistd.h>

#include "base/platform.h"
#include "base/sanitized.h"
#include "engine/tiny_models.h"

namespace gptj {
namespace {

using namespace test;

/// What `use` adds to the peak memory of a fresh process, in bytes; 0 if it fails.
template <typename Use>
uint64_t peak_growth(const Use& use) {
  int ends[2];
  if (::pipe(ends) != 0) return 0;
  const pid_t child = ::fork();
  if (child == 0) {
    const uint64_t before = platform::peak_memory();
    use();
    const uint64_t growth = platform::peak_memory() - before;
    ::_exit(::write(ends[1], &growth, sizeof growth) == sizeof growth ? 0 : 1);
  }
  ::close(ends[1]);
  uint64_t growth = 0;
  if (::read(ends[0], &growth, sizeof growth) != sizeof growth) growth = 0;
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  return growth;
}

void expect_little_more_than_it_needs(const std::string& path) {
  if (kSanitized) GTEST_SKIP() << "sanitizers need memory of their own";
  const SessionOptions options{.n_threads = 2, .n_batch = 64};
  const ModelInfo info = OpenedModel(path).info();
  const SessionMemory session = session_memory(info, options);
  const uint64_t needed = info.weight_bytes + session.kv_cache + session.scratch;
  const uint64_t used = peak_growth([&] {
    const Model model(path, {.n_threads = 2});
    evaluate(model, options, some_ids(64, 256), 60);
  });
  // Reading takes 4 MB for each thread, whatever the model's size. Less than the weights of the larger model
  // here: holding them twice would show. (150 MB is what a model of many gigabytes may take.)
  constexpr uint64_t kRest = 40 << 20;
  EXPECT_LT(used, needed + kRest) << needed;
  EXPECT_GT(used, info.weight_bytes / 2) << "nothing was measured";
}

TEST(Memory, OfTheDemoModel) {
  expect_little_more_than_it_needs(GPTJ_DEMO_MODELS "/gpt-j");
}

TEST(Memory, OfALargerModel) {
  const TemporaryDirectory directory;
  const ModelShape shape = {
      .n_vocab = 8000, .n_ctx = 128, .n_embd = 512, .n_head = 8, .n_layer = 8, .n_rot = 32};
  const std::string path = write_tiny(directory, "gptj", DType::f16, shape);
  ASSERT_GT(OpenedModel(path).info().weight_bytes, 60U << 20);
  expect_little_more_than_it_needs(path);
}

}  // namespace
}  // namespace gptj
