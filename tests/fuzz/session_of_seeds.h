#pragma once

#include "gptj/session.h"
#include "io/model_files.h"

namespace gptj {

/// The session that session files for fuzzing are for: of a tiny model.
struct SessionOfSeeds {
  static constexpr test::ModelShape kShape = {
      .n_vocab = 300, .n_ctx = 24, .n_embd = 32, .n_head = 2, .n_layer = 1, .n_rot = 4};
  /// Keys and values of a token, in F16.
  static constexpr uint64_t kTokenBytes = 2 * 2 * kShape.n_embd * kShape.n_layer;

  test::TemporaryDirectory directory;
  Model model{directory.file("model.bin", test::ggml_gptj(kShape, DType::f16).bytes()), {.n_threads = 1}};
  Session session{model, {.n_threads = 1}};
};

}  // namespace gptj
