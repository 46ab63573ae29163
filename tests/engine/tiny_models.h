#pragma once

#include <gtest/gtest.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gptj/session.h"
#include "io/model_files.h"

/// Small random models, and what sessions make of them.
namespace gptj::test {

/// Enough panels for several threads, and heads that end inside a register.
inline constexpr ModelShape kTinyShape = {
    .n_vocab = 300, .n_ctx = 80, .n_embd = 96, .n_head = 4, .n_layer = 2, .n_rot = 8};

inline std::string write_tiny(const TemporaryDirectory& directory, std::string_view architecture, DType dtype,
                              const ModelShape& shape = kTinyShape) {
  const GgmlFile file = architecture == "gptj" ? ggml_gptj(shape, dtype) : ggml_gpt2(shape, dtype);
  return directory.file(std::string(architecture) + ".bin", file.bytes());
}

inline std::vector<int> some_ids(int n, int n_vocab = kTinyShape.n_vocab) {
  std::vector<int> ids;
  for (int i = 0; i < n; ++i) ids.push_back(i * i * 37 % n_vocab);
  return ids;
}

/// The logits of every token, one row after the other.
using Logits = std::vector<float>;

inline void append(Logits& to, std::span<const float> logits) {
  to.insert(to.end(), logits.begin(), logits.end());
}

/// Through prefill() the first `n_prompt` tokens, through decode() the rest.
inline Logits evaluate(Session& session, std::span<const int> ids, size_t n_prompt) {
  Logits out;
  session.prefill_each(ids.first(n_prompt), [&](int index, std::span<const float> logits) {
    EXPECT_EQ(static_cast<size_t>(index) * logits.size(), out.size());
    append(out, logits);
  });
  for (const int id : ids.subspan(n_prompt)) append(out, session.decode(id));
  return out;
}

inline Logits evaluate(const Model& model, const SessionOptions& options, std::span<const int> ids,
                       size_t n_prompt) {
  Session session(model, options);
  return evaluate(session, ids, n_prompt);
}

}  // namespace gptj::test
